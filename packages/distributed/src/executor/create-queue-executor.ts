import { EngineError } from "@isthmus/core";
import { reviveError, type Task, type TaskControl, type TaskExecutor } from "@isthmus/tasks";
import { type QueuedTask, queueTask } from "../queue/queued-task.ts";
import type { QueueEvent, TaskQueue } from "../queue/task-queue.ts";
import type { TaskStorage } from "../storage/task-storage.ts";
import { createBatches } from "./batches.ts";
import { shareInputs } from "./share-inputs.ts";

/** Runs tasks on the workers of a queue. */
export interface QueueExecutor extends TaskExecutor {
  /** Stops waiting; tasks that are in the queue stay there, and workers go on with them. */
  close(): Promise<void>;
}

/** Options of {@link createQueueExecutor}. */
export interface QueueExecutorOptions extends Omit<QueuedTask, "id" | "task" | "root"> {
  readonly queue: TaskQueue;
  readonly storage: TaskStorage;
  /** Tasks that are in the queue at once. @defaultValue 1000 */
  readonly capacity?: number;
  /** Milliseconds between two looks at whether tasks were lost. @defaultValue 5000 */
  readonly check?: number;
  /** Called with sentences for people, such as that a task is tried again. */
  readonly onNote?: ((sentence: string) => void) | undefined;
}

/** A task that is waited for. */
interface Awaited {
  readonly queued: QueuedTask;
  readonly folder: string;
  readonly control: TaskControl;
  readonly settle: (outcome: { readonly result: object } | { readonly error: unknown }) => void;
}

/**
 * Makes an executor whose tasks run on the workers of a queue, wherever these are.
 *
 * What counts is what is published in the storage: a task that was published before is not queued, and one that
 * a queue has lost is queued again. Whoever waits may leave and come back.
 */
export async function createQueueExecutor(options: QueueExecutorOptions): Promise<QueueExecutor> {
  const { queue, storage, store, engine, directory, capacity = 1000, check = 5000, onNote } = options;
  const place = { store, engine, directory, root: storage.root };
  const awaited = new Map<string, Awaited>();
  const notes = createNotes(onNote);
  const batches = createBatches(async (tasks: readonly QueuedTask[]) => {
    try {
      await queue.add(tasks);
    } catch (error) {
      // The next look adds them again.
      notes.tell(`The queue cannot be reached: ${messageOf(error)}`);
    }
  });

  const collect = async (task: Awaited): Promise<boolean> => {
    const key = { store, key: task.queued.task.key };
    const result = await storage.read(key);
    if (result === undefined) return false;
    await storage.collect(key, task.folder);
    task.settle({ result });
    return true;
  };
  const receive = async (event: QueueEvent): Promise<void> => {
    const task = awaited.get(event.id);
    if (task === undefined) return;
    const { label } = task.queued.task;
    if (event.kind === "started") task.control.onStart?.();
    else if (event.kind === "progress") task.control.onProgress(event.done);
    else if (event.kind === "retried") notes.tell(`"${label}" is tried again: ${event.reason}`);
    else if (event.kind === "failed") task.settle({ error: reviveError(event.error) });
    else if (!(await collect(task))) notes.tell(`"${label}" is done, but its result is not there yet`);
  };
  /** Looks at tasks whose events may have been lost, or which the queue may have lost. */
  const look = async (): Promise<void> => {
    const tasks = [...awaited.values()];
    const entries = await queue.find(tasks.map(({ queued }) => queued.id));
    for (const [index, task] of tasks.entries()) {
      const entry = entries[index];
      if (entry?.state === "failed" && entry.error !== undefined)
        task.settle({ error: reviveError(entry.error) });
      else if (entry === undefined && !(await collect(task))) batches.add(task.queued);
    }
  };
  const unfollow = await queue.follow(store, (event) => {
    receive(event).catch((error: unknown) => awaited.get(event.id)?.settle({ error }));
  });
  const looks = repeat(check, () =>
    look().catch((error: unknown) => notes.tell(`The queue cannot be reached: ${messageOf(error)}`)),
  );

  return {
    capacity,
    isRemote: true,
    async run({ task, folder }, control) {
      const queued = queueTask(await shareInputs(requireTask(task), storage), place);
      return new Promise((resolve, reject) => {
        const abort = (): void => settle({ error: control.signal.reason });
        const settle: Awaited["settle"] = (outcome) => {
          awaited.delete(queued.id);
          control.signal.removeEventListener("abort", abort);
          if ("result" in outcome) resolve(outcome.result);
          else reject(outcome.error);
        };
        const waiting: Awaited = { queued, folder, control, settle };
        awaited.set(queued.id, waiting);
        control.signal.addEventListener("abort", abort);
        if (control.signal.aborted) return abort();
        collect(waiting).then(
          (isThere) => !isThere && batches.add(queued),
          (error: unknown) => settle({ error }),
        );
      });
    },
    async close() {
      looks.stop();
      await batches.flush();
      await unfollow();
    },
  };
}

function requireTask(task: Task | undefined): Task {
  if (task !== undefined) return task;
  throw new EngineError("Cannot queue work as it must be a task with a key: it is none", { engine: "queue" });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Calls a function again and again, each time after the call before has ended. */
function repeat(milliseconds: number, act: () => Promise<unknown>): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const next = (): void => {
    if (isStopped) return;
    timer = setTimeout(() => void act().finally(next), milliseconds);
  };
  next();
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Passes sentences on, each once in a minute. */
function createNotes(onNote: ((sentence: string) => void) | undefined) {
  const told = new Map<string, number>();
  return {
    tell(sentence: string): void {
      const now = Date.now();
      if (now - (told.get(sentence) ?? 0) < 60_000) return;
      told.set(sentence, now);
      onNote?.(sentence);
    },
  };
}
