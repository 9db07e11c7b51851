import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";
import { bundleScripts } from "../../../../test/helpers/bundle-scripts.mjs";
import type {
  QueueEvent,
  QueueServer,
  ServeQueueOptions,
  TaskHandler,
  TaskQueue,
} from "../../src/queue/task-queue.ts";
import type { QueuePlace } from "./queue-place.ts";

/** What servers of tests wait for: short, as tests wait too. */
export const PATIENCE = { lease: 1500, attempts: 3, deaths: 2, pause: 20 } as const;

/** A worker in a process of its own. */
export interface FarWorker {
  readonly child: ChildProcess;
  /** What it said so far: `started` or `aborted`, and the id of a task. */
  readonly said: readonly string[];
  /** Kills it, as a machine that loses power. */
  kill(): Promise<void>;
  /** Tells it to close what it has opened, and returns once its process has ended by itself. */
  finish(): Promise<void>;
}

/** All that a test opens on a queue, to be ended with it. */
export interface QueueBench {
  /** A first connection to the queue. */
  readonly queue: TaskQueue;
  /** Opens another connection. */
  open(): Promise<TaskQueue>;
  /** Serves the queue by a function, over a connection of its own. */
  serve(handle: TaskHandler, options?: Partial<ServeQueueOptions>): Promise<QueueServer>;
  /** Serves the queue in another process: its tasks run until they are aborted. */
  serveFar(worker: string): Promise<FarWorker>;
  /** Gathers the events of a store. */
  gather(store: string): Promise<readonly QueueEvent[]>;
  end(): Promise<void>;
}

/** Waits until a check passes. */
export function until(check: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(check, { timeout: 40_000, interval: 25 });
}

/** Waits until a queue has so many tasks in each state. */
export function untilCounts(queue: TaskQueue, counts: readonly [number, number, number]): Promise<void> {
  const [waiting, running, failed] = counts;
  return until(async () => expect(await queue.count()).toEqual({ waiting, running, failed }));
}

/** Resolves when a signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** Opens a queue for a test. */
export async function openBench(place: QueuePlace): Promise<QueueBench> {
  const queues: TaskQueue[] = [];
  const servers: QueueServer[] = [];
  const workers: FarWorker[] = [];
  const open = async (): Promise<TaskQueue> => {
    const queue = await place.open();
    queues.push(queue);
    return queue;
  };
  const queue = await open();
  return {
    queue,
    open,
    async serve(handle, options) {
      const server = await (await open()).serve(handle, {
        worker: "near",
        capacity: 4,
        ...PATIENCE,
        ...options,
      });
      servers.push(server);
      return server;
    },
    async serveFar(worker) {
      const far = await startFar(place, worker);
      workers.push(far);
      return far;
    },
    async gather(store) {
      const events: QueueEvent[] = [];
      await queue.follow(store, (event) => events.push(event));
      return events;
    },
    async end() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await Promise.all(servers.map((server) => server.drain()));
      await Promise.all(queues.map((one) => one.close()));
    },
  };
}

let far: Promise<readonly [URL]> | undefined;

/** The script of workers in processes of their own, which is bundled once for all of them. */
async function farScript(): Promise<string> {
  far ??= bundleScripts([new URL("./far-worker.ts", import.meta.url)]);
  const [script] = await far;
  return fileURLToPath(script);
}

/** Starts a worker in a process of its own; resolves once it serves. */
export async function startFar(
  { elsewhere }: Pick<QueuePlace, "elsewhere">,
  worker: string,
): Promise<FarWorker> {
  const { address, name } = elsewhere;
  const args = [address, name, JSON.stringify({ worker, capacity: 1, ...PATIENCE })];
  const child = fork(await farScript(), args, { execArgv: [] });
  const said: string[] = [];
  child.on("message", (message) => said.push(String(message)));
  const ended = once(child, "exit");
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the worker ended with code ${child.exitCode}`);
    expect(said).toContain("serves");
  });
  return {
    child,
    said,
    async finish() {
      child.send("end");
      await ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
