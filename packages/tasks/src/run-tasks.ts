import { entry } from "@isthmus/core";
import { join } from "@isthmus/platform";
import { createReadyTasks, type ReadyTasks } from "./ready-tasks.ts";
import type { Task, TaskFile } from "./task.ts";
import type { TaskExecutor } from "./task-executor.ts";
import type { TaskPaths } from "./task-kind.ts";
import type { TaskStore } from "./task-store.ts";
import { createTimeLeft, type TimeLeftEstimate } from "./time-left.ts";

/** Progress of a run of tasks. */
export interface TasksProgress {
  /** Share of all tasks that is done, in `[0, 1]`; running tasks count in part. */
  readonly done: number;
  /** Number of tasks that are done. */
  readonly completed: number;
  /** Labels of the running tasks. */
  readonly running: readonly string[];
  /** Number of tasks that are not started. */
  readonly waiting: number;
  /** Number of tasks that have failed so far. */
  readonly failed: number;
  /**
   * Estimate of the remaining time; missing until a task is done, and a lower bound while no task of some
   * kind is done.
   */
  readonly timeLeft?: TimeLeftEstimate;
}

/** A task that failed. */
export interface TaskFailure {
  /** The failed task with its parameters and inputs. */
  readonly task: Task;
  /** Thrown value: the error of the task itself, or of the thread, process or queue that ran it. */
  readonly error: unknown;
}

/** Outcome of a run of tasks. */
export interface TasksOutcome {
  /** Results of the finished tasks, by key. */
  readonly results: ReadonlyMap<string, object>;
  /** Tasks that failed, each with its error, in the order in which they ended. */
  readonly failures: readonly TaskFailure[];
  /** Tasks that were not started, as a dependency failed. */
  readonly blocked: readonly Task[];
}

/** Options of {@link runTasks}. */
export interface RunTasksOptions {
  /**
   * Store in which finished tasks leave results, and from which later tasks read the files of earlier ones.
   */
  readonly store: TaskStore;
  /** Runner of the tasks, such as threads or a queue; its capacity limits the number of tasks at once. */
  readonly executor: TaskExecutor;
  /**
   * Signal that stops the run: no further task starts, and running tasks receive the same signal.
   * @defaultValue never aborted
   */
  readonly signal?: AbortSignal | undefined;
  /** Called when a task starts or ends, and at most every 50 ms while tasks run. @defaultValue no reports */
  readonly onProgress?: ((progress: TasksProgress) => void) | undefined;
}

/**
 * Runs tasks, as many at once as the executor allows, each after its dependencies. If one fails, only tasks
 * that depend on it are left out.
 *
 * @param tasks - each after the tasks it depends on; a dependency that is not among them counts as finished
 * @throws DOMException named AbortError if `signal` is aborted, once all running tasks have stopped; results
 *   of finished tasks are kept in the store
 */
export async function runTasks(tasks: readonly Task[], options: RunTasksOptions): Promise<TasksOutcome> {
  return new TaskRun(tasks, options).run();
}

/** Minimum milliseconds between two reports of mere progress. */
const REPORT_MS = 50;

/** A task that was handed to the executor. */
interface TaskUnderWay {
  /** Share of the task that is done. */
  done: number;
  /** Time when the task began; undefined while it waits for a machine. */
  began: number | undefined;
}

class TaskRun {
  readonly #options: RunTasksOptions;
  readonly #signal: AbortSignal;
  readonly #total: number;
  readonly #ready: ReadyTasks;
  readonly #underWay = new Map<Task, TaskUnderWay>();
  readonly #results = new Map<string, object>();
  readonly #failures: TaskFailure[] = [];
  readonly #blocked: Task[] = [];
  readonly #timeLeft = createTimeLeft();
  /** Largest number of tasks that ran at once. */
  #atOnce = 1;
  #reported = Number.NEGATIVE_INFINITY;

  constructor(tasks: readonly Task[], options: RunTasksOptions) {
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#total = tasks.length;
    this.#ready = createReadyTasks(tasks);
  }

  async run(): Promise<TasksOutcome> {
    await new Promise<void>((resolve) => this.#startReady(resolve));
    this.#signal.throwIfAborted();
    return { results: this.#results, failures: this.#failures, blocked: this.#blocked };
  }

  /** Starts the tasks that may begin; calls `end` once no task runs and none can begin. */
  #startReady(end: () => void): void {
    while (!this.#signal.aborted && this.#underWay.size < this.#options.executor.capacity) {
      const task = this.#ready.take();
      if (task === undefined) break;
      const isQueued = this.#options.executor.isRemote === true;
      this.#underWay.set(task, { done: 0, began: isQueued ? undefined : performance.now() });
      void this.#runOne(task).then(() => this.#startReady(end));
    }
    this.#report();
    if (this.#underWay.size === 0) end();
  }

  async #runOne(task: Task): Promise<void> {
    const state = entry(this.#underWay, task, "task");
    try {
      const result = await this.#execute(task, state);
      this.#results.set(task.key, result);
      if (!this.#signal.aborted) this.#ready.finish(task);
    } catch (error) {
      if (!this.#signal.aborted) {
        this.#failures.push({ task, error });
        this.#blocked.push(...this.#ready.fail(task));
      }
    } finally {
      this.#underWay.delete(task);
    }
  }

  async #execute(task: Task, state: TaskUnderWay): Promise<object> {
    const { store, executor } = this.#options;
    const { key, kind, params } = task;
    // Other machines have their own folders for attempts.
    if (!executor.isRemote) await store.begin(key);
    const assignment = { kind, params, inputs: resolvePaths(task, store), folder: store.folderOf(key), task };
    const result = await executor.run(assignment, {
      signal: this.#signal,
      onStart: () => {
        state.began ??= performance.now();
        this.#reportProgress();
      },
      onProgress: (done) => {
        state.began ??= performance.now();
        state.done = done;
        this.#reportProgress();
      },
    });
    // A task that another machine had finished before took no time.
    const seconds = state.began === undefined ? 0 : (performance.now() - state.began) / 1000;
    if (!executor.isRemote) await store.finish(task, result, seconds);
    if (state.began !== undefined) this.#timeLeft.add(kind, seconds);
    return result;
  }

  #reportProgress(): void {
    if (performance.now() - this.#reported >= REPORT_MS) this.#report();
  }

  #report(): void {
    if (this.#options.onProgress === undefined) return;
    this.#reported = performance.now();
    const underWay = [...this.#underWay];
    const running = underWay.filter(([, { began }]) => began !== undefined);
    const queued = underWay.length - running.length;
    this.#atOnce = Math.max(this.#atOnce, running.length);
    const timeLeft = this.#timeLeft.estimate(
      [
        ...[...this.#ready.waiting].filter(([, count]) => count > 0),
        ...underWay.map(([{ kind }, { done }]) => [kind, 1 - done] as const),
      ],
      this.#options.executor.isRemote ? this.#atOnce : this.#options.executor.capacity,
    );
    const completed = this.#results.size;
    const shares = underWay.reduce((sum, [, { done }]) => sum + done, 0);
    this.#options.onProgress({
      done: (completed + shares) / Math.max(1, this.#total),
      completed,
      running: running.map(([{ label }]) => label),
      waiting: [...this.#ready.waiting.values()].reduce((sum, count) => sum + count, queued),
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
