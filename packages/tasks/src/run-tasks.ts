import { join } from "node:path";
import { dependenciesOf, type Task, type TaskFile } from "./task.ts";
import type { TaskExecutor } from "./task-executor.ts";
import type { TaskPaths } from "./task-kind.ts";
import type { TaskStore } from "./task-store.ts";
import { createTimeLeft, type TimeLeftEstimate } from "./time-left.ts";

/** How far a run of tasks has come. */
export interface TasksProgress {
  /** Share of all tasks that is done, those under way in part, in `[0, 1]`. */
  readonly done: number;
  /** Tasks that are done. */
  readonly completed: number;
  /** Labels of the tasks under way. */
  readonly running: readonly string[];
  /** Tasks that are not started. */
  readonly waiting: number;
  readonly failed: number;
  /** Missing until a task is done; a lower bound while no task of some kind is done. */
  readonly timeLeft?: TimeLeftEstimate;
}

/** A task that failed. */
export interface TaskFailure {
  readonly task: Task;
  readonly error: unknown;
}

/** What became of tasks. */
export interface TasksOutcome {
  /** By key. */
  readonly results: ReadonlyMap<string, object>;
  readonly failures: readonly TaskFailure[];
  /** Tasks that were not started, as one they depend on failed. */
  readonly blocked: readonly Task[];
}

/** What tasks are run with. */
export interface RunTasksOptions {
  readonly store: TaskStore;
  readonly executor: TaskExecutor;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TasksProgress) => void) | undefined;
}

/**
 * Runs tasks, as many at once as the executor takes, each after the tasks it depends on. If one fails, only
 * tasks that depend on it are left out.
 *
 * @param tasks - each after the tasks it depends on; a dependency that is not among them counts as finished
 * @throws DOMException named AbortError if `signal` is aborted, once all that runs has stopped; results of
 *   finished tasks stay in the store
 */
export async function runTasks(tasks: readonly Task[], options: RunTasksOptions): Promise<TasksOutcome> {
  return new TaskRun(tasks, options).run();
}

class TaskRun {
  readonly #options: RunTasksOptions;
  readonly #signal: AbortSignal;
  readonly #total: number;
  readonly #waiting: Task[];
  /** The share of each task under way that is done. */
  readonly #running = new Map<Task, number>();
  readonly #ended = new Map<string, Promise<void>>();
  readonly #results = new Map<string, object>();
  readonly #failures: TaskFailure[] = [];
  readonly #timeLeft = createTimeLeft();

  constructor(tasks: readonly Task[], options: RunTasksOptions) {
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#total = tasks.length;
    this.#waiting = [...tasks];
  }

  async run(): Promise<TasksOutcome> {
    const blocked: Task[] = [];
    for (;;) {
      blocked.push(...this.#takeBlocked());
      if (!this.#signal.aborted) this.#startReady();
      this.#report();
      if (this.#ended.size === 0) break;
      await Promise.race(this.#ended.values());
    }
    this.#signal.throwIfAborted();
    return { results: this.#results, failures: this.#failures, blocked };
  }

  #startReady(): void {
    const unfinished = new Set([...this.#waiting, ...this.#running.keys()].map(({ key }) => key));
    for (const task of [...this.#waiting]) {
      if (this.#running.size >= this.#options.executor.capacity) return;
      if (dependenciesOf(task).some((key) => unfinished.has(key))) continue;
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      this.#running.set(task, 0);
      this.#ended.set(task.key, this.#runOne(task));
    }
  }

  async #runOne(task: Task): Promise<void> {
    const { store, executor } = this.#options;
    const { key, kind, params } = task;
    const began = performance.now();
    try {
      await store.begin(key);
      const assignment = { kind, params, inputs: resolvePaths(task, store), folder: store.folderOf(key) };
      const result = await executor.run(assignment, {
        signal: this.#signal,
        onProgress: (done) => {
          this.#running.set(task, done);
          this.#report();
        },
      });
      const seconds = (performance.now() - began) / 1000;
      await store.finish(task, result, seconds);
      this.#timeLeft.add(kind, seconds);
      this.#results.set(key, result);
    } catch (error) {
      if (!this.#signal.aborted) this.#failures.push({ task, error });
    } finally {
      this.#running.delete(task);
      this.#ended.delete(key);
    }
  }

  /** Takes the tasks out of the queue that can never run, as one they depend on failed. */
  #takeBlocked(): readonly Task[] {
    const lost = new Set(this.#failures.map(({ task }) => task.key));
    const taken: Task[] = [];
    for (const task of [...this.#waiting]) {
      if (!dependenciesOf(task).some((key) => lost.has(key))) continue;
      lost.add(task.key);
      taken.push(task);
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
    }
    return taken;
  }

  #report(): void {
    const running = [...this.#running];
    const timeLeft = this.#timeLeft.estimate(
      [
        ...this.#waiting.map(({ kind }) => [kind, 1] as const),
        ...running.map(([{ kind }, done]) => [kind, 1 - done] as const),
      ],
      this.#options.executor.capacity,
    );
    const completed = this.#results.size;
    const underWay = running.reduce((sum, [, share]) => sum + share, 0);
    this.#options.onProgress?.({
      done: (completed + underWay) / Math.max(1, this.#total),
      completed,
      running: running.map(([{ label }]) => label),
      waiting: this.#waiting.length,
      failed: this.#failures.length,
      ...(timeLeft !== undefined && { timeLeft }),
    });
  }
}

function resolvePaths({ inputs }: Task, store: TaskStore): TaskPaths {
  const pathOf = (file: TaskFile): string =>
    "path" in file ? file.path : join(store.folderOf(file.task), file.file);
  return Object.fromEntries(Object.entries(inputs).map(([name, files]) => [name, files.map(pathOf)]));
}
