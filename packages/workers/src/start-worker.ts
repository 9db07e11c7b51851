import { availableParallelism, hostname } from "node:os";
import { resolve } from "node:path";
import { endWithin, runWorker, type TaskWorker, type WorkerOptions } from "@isthmus/distributed";
import { createEngine, type EngineName } from "@isthmus/engine";
import { createProcessExecutor } from "@isthmus/tasks";
import { loadWorkerTasks } from "./kinds/load-worker-tasks.ts";
import { openQueueAndStorage, type QueuePlaces } from "./queue/open-queue.ts";
import { scriptUrl } from "./script-url.ts";

/** Largest number of bytes of copies of files that are kept, by default. */
const CACHE_BYTES = 50e9;

/** Options of {@link startWorker}. */
export interface StartWorkerOptions extends QueuePlaces, Pick<WorkerOptions, "onStart" | "onEnd"> {
  /** Name of the worker, which no other may have. @defaultValue the machine and the process */
  readonly name?: string | undefined;
  /** Name of the engine that tasks run graphs on. @defaultValue "onnxruntime" */
  readonly engine?: EngineName | undefined;
  /**
   * Number of tasks at once, each in a process of its own; at least 1. @defaultValue the number of processors
   */
  readonly concurrency?: number | undefined;
  /** Largest number of bytes of memory of all tasks together. @defaultValue no limit */
  readonly memory?: number | undefined;
  /** Largest number of bytes of disk for copies of files of a storage in S3. @defaultValue 50e9 */
  readonly cacheBytes?: number | undefined;
  /** Seconds after which others take over from a worker that is silent. @defaultValue 30 */
  readonly lease?: number | undefined;
  /** Files of measurements and network makers of the user; no task can name one. @defaultValue none */
  readonly use?: readonly string[] | undefined;
  /** Called with each line that tasks print. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** A worker that was started. */
export interface StartedWorker extends TaskWorker {
  /** Name of the queue that it serves. */
  readonly queueName: string;
  /** Gives tasks that run back to the queue, and ends the processes and connections of the worker. */
  close(): Promise<void>;
}

/**
 * Starts a worker of a queue, which runs tasks of studies, simulations, merges, maps and searches until it is
 * drained or closed.
 * @throws InputError if the storage is a folder that is not there
 * @example
 * ```ts ignore
 * import { startWorker } from "@isthmus/workers";
 *
 * const worker = await startWorker({ queue: "/shared/queue", storage: "/shared", concurrency: 2 });
 * process.once("SIGTERM", () => worker.close());
 * ```
 */
export async function startWorker(options: StartWorkerOptions): Promise<StartedWorker> {
  const {
    name = `${hostname()}-${process.pid}`,
    engine = "onnxruntime",
    concurrency = availableParallelism(),
    memory,
    cacheBytes = CACHE_BYTES,
    lease = 30,
    use = [],
  } = options;
  const { onStart, onEnd, onNote, onLine } = options;
  const { queue, storage } = await openQueueAndStorage(options, { cacheBytes });
  const executor = createProcessExecutor(scriptUrl("process"), {
    capacity: concurrency,
    args: [engine, ...use.map((file) => resolve(file))],
    memory: memory === undefined ? undefined : memory / concurrency,
    onLine,
  });
  const closeAll = async (): Promise<void> => {
    for (const one of [executor, queue, storage]) await endWithin(one.close());
  };
  try {
    const worker = await runWorker({
      queue,
      storage,
      executor,
      name,
      kinds: await loadWorkerTasks(),
      lease: lease * 1000,
      engine: (await createEngine(engine)).name,
      onStart,
      onEnd,
      onTrouble: onNote,
    });
    return {
      get status() {
        return worker.status;
      },
      queueName: queue.name,
      drain: worker.drain,
      release: worker.release,
      async close() {
        await endWithin(worker.release());
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
