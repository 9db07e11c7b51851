import { EngineError, messageOf } from "@isthmus/core";
import type { Task, TaskExecutor, TaskFile, TaskInputs } from "@isthmus/tasks";
import { endWithin } from "../queue/bullmq/end-within.ts";
import { type QueuedTask, queueTask } from "../queue/queued-task.ts";
import type { TaskQueue } from "../queue/task-queue.ts";
import { repeat } from "../repeat.ts";
import type { TaskStorage } from "../storage/task-storage.ts";
import { createAwaitedTasks } from "./awaited-tasks.ts";

/** Runs tasks on the workers of a queue. */
export interface QueueExecutor extends TaskExecutor {
  /** Whether workers see the files of this machine under their paths, and may write into them. */
  readonly isShared: boolean;
  /** Removes the published files of a collected task from the storage. */
  remove(key: string): Promise<void>;
  /** Removes the published files of all tasks from the storage, once no result is needed any more. */
  clear(): Promise<void>;
  /** Stops waiting; tasks that are in the queue stay there, and workers go on with them. */
  close(): Promise<void>;
}

/** Options of {@link createQueueExecutor}. */
export interface QueueExecutorOptions extends Omit<QueuedTask, "id" | "task" | "root"> {
  /** Queue to which tasks are added. */
  readonly queue: TaskQueue;
  /** Storage in which workers find files of tasks and publish results; workers must have the same. */
  readonly storage: TaskStorage;
  /** Tasks that are in the queue at once. @defaultValue 1000 */
  readonly capacity?: number;
  /** Milliseconds between two looks at whether tasks were lost. @defaultValue 5000 */
  readonly check?: number;
  /** Called with sentences for people, such as that a task is tried again. */
  readonly onNote?: ((sentence: string) => void) | undefined;
}

/**
 * Makes an executor whose tasks run on the workers of a queue, on any machine.
 *
 * Results count once they are published in the storage: a task that was published before is not queued, and
 * a task that the queue has lost is queued again. The command that waits may end and be started again later.
 */
export async function createQueueExecutor(options: QueueExecutorOptions): Promise<QueueExecutor> {
  const { queue, storage, store, engine, directory, capacity = 1000, check = 5000 } = options;
  const place = { store, engine, directory, root: storage.root };
  const tell = onceAMinute(options.onNote);
  const tasks = createAwaitedTasks({ queue, storage, tell });
  const unfollow = await queue.follow(store, (event) => tasks.receive(event));
  const look = async (): Promise<void> => {
    await tasks.look();
    if (tasks.areEnded || (await queue.workers()).length > 0) return;
    tell(
      `No worker serves ${queue.name}: start one, here or elsewhere, by isthmus worker with the same --queue and --storage`,
    );
  };
  const looks = repeat(check, () =>
    look().catch((error: unknown) => tell(`The queue cannot be reached: ${messageOf(error)}`)),
  );
  return {
    capacity,
    isRemote: true,
    isShared: storage.isShared,
    remove: (key) => storage.remove({ store, key }),
    clear: () => storage.clear(store),
    async run({ task, folder }, control) {
      if (task === undefined) {
        throw new EngineError("Cannot queue work as it must be a task with a key: it is none", {
          engine: "queue",
        });
      }
      return tasks.wait(queueTask(await shareInputs(task, storage), place), folder, control);
    },
    async close() {
      // A look, or the adding of tasks, may wait long for a queue that is away.
      void looks.stop();
      await endWithin(tasks.flush());
      await unfollow();
      if (tasks.areEnded) await storage.sweep(store);
    },
  };
}

/** Milliseconds in which the same sentence is passed on once. */
const MINUTE = 60_000;

/** Returns a function that passes sentences on, each once in a minute. */
function onceAMinute(onNote: ((sentence: string) => void) | undefined): (sentence: string) => void {
  const told = new Map<string, number>();
  return (sentence) => {
    const last = told.get(sentence);
    if (last !== undefined && performance.now() - last < MINUTE) return;
    told.set(sentence, performance.now());
    onNote?.(sentence);
  };
}

/**
 * Returns a task that names the files of the user by their paths in a storage, where all workers find them.
 * Its key stays, as paths are no part of it.
 */
async function shareInputs(task: Task, storage: TaskStorage): Promise<Task> {
  const inputs: Record<string, readonly TaskFile[]> = {};
  for (const [role, files] of Object.entries(task.inputs)) {
    inputs[role] = await Promise.all(
      files.map(async (file) => ("path" in file ? { ...file, path: await storage.share(file) } : file)),
    );
  }
  return { ...task, inputs: inputs satisfies TaskInputs };
}
