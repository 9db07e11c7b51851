import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError } from "@isthmus/core";
import type { Registry } from "prom-client";
import type { TaskWorker } from "./run-worker.ts";

/** A small server that reports the status of a worker. */
export interface StatusServer {
  /** Address of the server, without a path. */
  readonly url: string;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

/**
 * Serves `/health` as JSON, with status 503 while the worker drains, and `/metrics` for Prometheus.
 *
 * There is no password: whoever can connect reads the labels of tasks.
 * @param where - `port`: 0 for any free port
 * @throws InputError if the server cannot listen on that port
 */
export async function serveWorkerStatus(
  worker: TaskWorker,
  { port, host = "127.0.0.1" }: { readonly port: number; readonly host?: string },
): Promise<StatusServer> {
  const metrics = await createMetrics(worker);
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(response, 405, "only GET is served\n");
    if (path === "/health") {
      const { status } = worker;
      return answer(
        response,
        status.isDraining ? 503 : 200,
        `${JSON.stringify(status)}\n`,
        "application/json",
      );
    }
    if (path !== "/metrics") return answer(response, 404, "there are /health and /metrics\n");
    metrics.metrics().then(
      (text) => answer(response, 200, text, metrics.contentType),
      () => answer(response, 500, "the metrics cannot be read\n"),
    );
  });
  server.listen(port, host);
  await once(server, "listening").catch((cause: unknown) => {
    throw new InputError(`Cannot listen at ${host}:${port} as ${String((cause as Error).message)}`, {
      input: `${host}:${port}`,
      cause,
    });
  });
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${chosen}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function answer(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
}

async function createMetrics(worker: TaskWorker): Promise<Registry> {
  // Every verb that may use a queue loads this module, and few serve metrics.
  const { Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `isthmus_worker_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge("tasks_running", "Tasks that run now", () => worker.status.running.length);
  gauge("tasks_running_seconds", "Seconds that the oldest running task has run", () =>
    Math.max(0, ...worker.status.running.map(({ seconds }) => seconds)),
  );
  for (const outcome of ["done", "failed", "released"] as const) {
    gauge(`tasks_${outcome}`, `Tasks that have ended: ${outcome}`, () => worker.status.ended[outcome]);
  }
  gauge("busy_seconds", "Seconds of all tasks that have ended", () => worker.status.busySeconds);
  gauge("memory_bytes", "Resident memory of the worker itself, without its tasks", () =>
    process.memoryUsage.rss(),
  );
  gauge("draining", "1 while the worker takes no more tasks", () => Number(worker.status.isDraining));
  return registry;
}
