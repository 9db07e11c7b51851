import { InputError, messageOf } from "@isthmus/core";
import { reviveError, type TaskControl } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";
import type { QueueEvent, TaskQueue } from "../queue/task-queue.ts";
import type { TaskStorage } from "../storage/task-storage.ts";
import { createGatherer, type Gatherer } from "./gatherer.ts";

/** Tasks in a queue that this command waits for. */
export interface AwaitedTasks {
  /** Queues a task, unless its result exists, and waits for it. */
  wait(queued: QueuedTask, folder: string, control: TaskControl): Promise<object>;
  /** Handles an event of the queue about a task. */
  receive(event: QueueEvent): void;
  /**
   * Looks for tasks that ended without an event reaching this command, and queues again tasks that the queue
   * has lost.
   */
  look(): Promise<void>;
  /** Returns once every task that is waited for has been queued. */
  flush(): Promise<void>;
  /** Whether no awaited task is left, so that no worker still runs one. */
  readonly areEnded: boolean;
}

interface Awaited {
  readonly queued: QueuedTask;
  readonly folder: string;
  readonly control: TaskControl;
  /** Name of the worker that began the task last; its storage may differ from the storage of this command. */
  worker?: string | undefined;
  /**
   * Number of times that a worker reported the task as done while its result was missing from the storage.
   */
  absent: number;
  /** Pending collection of the result, which may take longer than the time until the next look. */
  collecting?: Promise<boolean> | undefined;
  readonly settle: (outcome: { readonly result: object } | { readonly error: unknown }) => void;
}

/**
 * Number of times that a published result may be missing before its worker is assumed to use another storage.
 */
const MOST_ABSENT = 3;

/** Options of {@link createAwaitedTasks}: a queue, a storage, and a function that is called with messages. */
export interface AwaitedTasksOptions {
  /** Queue to which tasks are added and in which they are looked for. */
  readonly queue: TaskQueue;
  /** Storage in which workers publish results, from which they are collected. */
  readonly storage: TaskStorage;
  /** Called with sentences for people, such as that the queue cannot be reached. */
  readonly tell: (sentence: string) => void;
}

/** Makes an empty {@link AwaitedTasks}. */
export function createAwaitedTasks({ queue, storage, tell }: AwaitedTasksOptions): AwaitedTasks {
  const awaited = new Map<string, Awaited>();
  const watch = watchAborts(awaited);
  let left = 0;
  const batches = createGatherer((tasks: readonly QueuedTask[]) =>
    // The next look adds them again.
    queue.add(tasks).catch((error: unknown) => tell(`The queue cannot be reached: ${messageOf(error)}`)),
  );

  const collect = (task: Awaited): Promise<boolean> => {
    task.collecting ??= collectFrom(storage, task).finally(() => {
      task.collecting = undefined;
    });
    return task.collecting;
  };
  const isAwaited = (task: Awaited): boolean => awaited.get(task.queued.id) === task;
  const waiting: Waiting = { collect, isAwaited, batches };
  const noteAbsent = (task: Awaited, worker: string): void => {
    // A network share may show files of another machine late: the next look finds the result, or queues the
    // task again.
    task.absent++;
    if (task.absent < MOST_ABSENT) return;
    const rule = `workers must publish it in the storage "${storage.name}": ${worker} says that it has, ${MOST_ABSENT} times, and it is not there`;
    const remedy = "start all workers with the storage that this command has";
    const { label } = task.queued.task;
    const message = `Cannot use the result of "${label}" as ${rule}; ${remedy}`;
    task.settle({ error: new InputError(message, { input: storage.name }) });
  };
  const note = async (task: Awaited, event: QueueEvent): Promise<void> => {
    const { label } = task.queued.task;
    if (event.kind === "started") {
      task.worker = event.worker;
      task.control.onStart?.();
    } else if (event.kind === "progress") task.control.onProgress(event.done);
    else if (event.kind === "retried") tell(`"${label}" is tried again${by(task)}: ${event.reason}`);
    else if (event.kind === "failed") task.settle({ error: reviveError(event.error) });
    else if (!(await collect(task))) noteAbsent(task, event.worker);
  };
  return {
    get areEnded() {
      return awaited.size === 0 && left === 0;
    },
    async wait(queued, folder, control) {
      try {
        const ended = waitFor(awaited, { queued, folder, control }, (task) =>
          queueUnlessThere(task, waiting),
        );
        watch(control.signal);
        return await ended;
      } finally {
        if (control.signal.aborted) left++;
      }
    },
    receive(event) {
      const task = awaited.get(event.id);
      if (task !== undefined) note(task, event).catch((error: unknown) => task.settle({ error }));
    },
    async look() {
      const tasks = [...awaited.values()];
      const entries = await queue.find(tasks.map(({ queued }) => queued.id));
      for (const [index, task] of tasks.entries()) {
        const entry = entries[index];
        if (entry === undefined) await queueUnlessThere(task, waiting);
        else if (entry.state === "failed" && entry.error !== undefined)
          task.settle({ error: reviveError(entry.error) });
      }
    },
    flush: () => batches.flush(),
  };
}

function by({ worker }: Awaited): string {
  return worker === undefined ? "" : `, as ${worker} could not do it`;
}

/** Helpers that queue a task unless its result exists. */
interface Waiting {
  readonly collect: (task: Awaited) => Promise<boolean>;
  readonly isAwaited: (task: Awaited) => boolean;
  readonly batches: Gatherer<QueuedTask>;
}

/** Takes the result of a task from the storage; returns false if the result does not exist. */
async function collectFrom(storage: TaskStorage, { queued, folder, settle }: Awaited): Promise<boolean> {
  const place = { store: queued.store, key: queued.task.key };
  const result = await storage.read(place);
  if (result === undefined) return false;
  await storage.collect(place, folder);
  settle({ result });
  return true;
}

async function queueUnlessThere(task: Awaited, { collect, isAwaited, batches }: Waiting): Promise<void> {
  try {
    // A task that has ended meanwhile may have been removed from the storage.
    if (!isAwaited(task) || (await collect(task)) || !isAwaited(task)) return;
    if (!task.control.signal.aborted) batches.add(task.queued);
  } catch (error) {
    task.settle({ error });
  }
}

function waitFor(
  awaited: Map<string, Awaited>,
  task: Omit<Awaited, "settle" | "absent">,
  begin: (task: Awaited) => Promise<void>,
): Promise<object> {
  const { queued } = task;
  return new Promise((resolve, reject) => {
    const settle: Awaited["settle"] = (outcome) => {
      awaited.delete(queued.id);
      if ("result" in outcome) resolve(outcome.result);
      else reject(outcome.error);
    };
    const waiting: Awaited = { ...task, absent: 0, settle };
    awaited.set(queued.id, waiting);
    void begin(waiting);
  });
}

/**
 * Returns a function that watches a signal, once for all tasks that share it, and stops waiting for them when
 * it is aborted.
 */
function watchAborts(awaited: ReadonlyMap<string, Awaited>): (signal: AbortSignal) => void {
  const watched = new WeakSet<AbortSignal>();
  return (signal) => {
    const abort = (): void => {
      for (const { control, settle } of awaited.values()) {
        if (control.signal === signal) settle({ error: signal.reason });
      }
    };
    if (signal.aborted) abort();
    else if (!watched.has(signal)) signal.addEventListener("abort", abort, { once: true });
    watched.add(signal);
  };
}
