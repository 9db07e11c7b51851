import { presentClients, roundOf } from "@isthmus/federated";
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Federation } from "../server/running-federation.ts";

/** Metrics of a server, with the counters that its routes increase. */
export interface ServerMetrics {
  /** Registry of all metrics, which writes them in the text format of Prometheus. */
  readonly registry: Registry;
  /** Counter of updates since the server started, by their result: accepted or refused. */
  readonly updates: Counter<"result">;
}

/** Creates the metrics of a server, some of which are read from the federation at each request. */
export function createMetrics(federation: Federation): ServerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge("isthmus_federation_round", "Round that is open or comes next", () => roundOf(federation.state));
  gauge(
    "isthmus_federation_rounds_finished",
    "Rounds that were aggregated or failed",
    () => federation.state.history.length,
  );
  gauge(
    "isthmus_federation_rounds_failed",
    "Rounds whose updates came to nothing",
    () => federation.state.history.filter(({ failed }) => failed !== undefined).length,
  );
  gauge(
    "isthmus_federation_clients_present",
    "Clients that are there",
    () => presentClients(federation.state).length,
  );
  gauge(
    "isthmus_federation_updates_waiting",
    "Updates that count in the round",
    () => federation.state.updates.length,
  );
  gauge(
    "isthmus_federation_updates_refused",
    "Updates refused since the federation began",
    () => federation.state.refusals,
  );
  // There may be no measurement yet, or none at all.
  const last = (name: string): number =>
    federation.state.history.findLast(({ failed }) => failed === undefined)?.metrics[name] ?? Number.NaN;
  gauge("isthmus_federation_loss", "Loss of the global network on the server's examples", () => last("loss"));
  gauge("isthmus_federation_accuracy", "Accuracy of the global network on the server's examples", () =>
    last("accuracy"),
  );
  const { privacy } = federation.config.strategy;
  if (privacy !== undefined) {
    gauge(
      "isthmus_federation_privacy_epsilon",
      `Epsilon that rounds have spent, at delta ${privacy.delta}`,
      () => epsilonOf(federation.state),
    );
    gauge(
      "isthmus_federation_privacy_budget",
      "Epsilon at which the federation stops",
      () => privacy.budget ?? Number.POSITIVE_INFINITY,
    );
  }
  const updates = new Counter({
    name: "isthmus_federation_updates_total",
    help: "Updates that were accepted or refused since the server started",
    labelNames: ["result"] as const,
    registers,
  });
  return { registry, updates };
}

/** Returns the epsilon that has been spent: 0 before the first round, infinity without noise. */
function epsilonOf({ history }: Federation["state"]): number {
  const last = history.at(-1)?.privacy;
  if (last === undefined) return 0;
  return last.epsilon ?? Number.POSITIVE_INFINITY;
}

/** Adds the route of the metrics, and measures the time of every request. */
export function addMetricsRoute(app: FastifyInstance, { registry }: ServerMetrics): void {
  const seconds = new Histogram({
    name: "isthmus_http_request_seconds",
    help: "Time of requests",
    labelNames: ["method", "route", "status"] as const,
    buckets: [0.005, 0.05, 0.5, 5, 50],
    registers: [registry],
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    seconds.observe(
      { method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
  });
  app.get("/metrics", {
    config: { audience: "watchers" },
    schema: { tags: ["watching"], summary: "Numbers of the server, in the text format of Prometheus" },
    handler: async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  });
}
