import { createThreadExecutor, limitAtOnce, type TaskExecutor } from "@isthmus/tasks";
import type { MergePlan } from "../merge-plan.ts";
import { digestPlan } from "./describe-plan.ts";
import { markRun, noteFinished } from "./merge-journal.ts";
import type { MergeSource } from "./merge-source.ts";
import type { MergedPiece, MergeTask } from "./merge-tasks.ts";
import type { MergeWorkerData } from "./merge-worker.ts";
import { unpackPieces } from "./packed-pieces.ts";
import {
  type DescribedMerge,
  describePieces,
  digestAnywhere,
  type OpenMergeExecutor,
  type RemoteMergeExecutor,
} from "./remote-merge.ts";
import { type MergeTarget, runPieces } from "./run-pieces.ts";

/**
 * Executor for the tasks of a merge: in worker threads, on other machines, or concurrently in this thread.
 */
export interface MergeExecutor extends TaskExecutor {
  /** Called once all tasks of the merge are done. */
  finish(): Promise<void>;
  /** Ends the threads, or the connections to other machines. */
  close(): Promise<void>;
}

/** Options of {@link createMergeExecutor}. */
export interface MergeExecutorOptions {
  /** Number of tasks that run at once on this machine. */
  readonly threads: number;
  /**
   * Description from which each thread, or another machine, makes the plan; undefined for tasks in this
   * thread.
   */
  readonly source: MergeSource | undefined;
  /** Opens the executor on other machines; undefined for threads of this process. */
  readonly openExecutor: OpenMergeExecutor | undefined;
  /** Digest of the identity of the merge. */
  readonly run: string;
}

// Threads start from sources, where this module does; Node needs help with that.
const workerScript = (): URL =>
  new URL(
    import.meta.url.endsWith(".ts") ? "../../test/merge-worker.mjs" : "./merge-worker.js",
    import.meta.url,
  );

/** Number of tasks whose pieces are copied into their places at the same time. */
const PLACED_AT_ONCE = 2;

/** Creates an executor for the tasks of a merge. */
export async function createMergeExecutor(
  plan: MergePlan,
  target: MergeTarget,
  { threads, source, openExecutor, run }: MergeExecutorOptions,
): Promise<MergeExecutor> {
  if (openExecutor !== undefined && source !== undefined) {
    await markRun(target.folder, run);
    const merge = { data: source.data, digest: digestAnywhere(plan), target, run };
    return createRemoteExecutor(plan, merge, await openExecutor(target.folder));
  }
  if (source !== undefined && threads > 1) {
    const workerData: MergeWorkerData = { source, digest: digestPlan(plan, false), target };
    return { ...createThreadExecutor(workerScript(), { capacity: threads, workerData }), async finish() {} };
  }
  return {
    capacity: threads,
    async run({ params }, { signal, onProgress }) {
      const { pieces, bytes } = params as Pick<MergeTask, "bytes"> & {
        readonly pieces: readonly MergedPiece[];
      };
      let written = 0;
      const onBytes = (more: number): void => {
        written += more;
        onProgress(written / bytes);
      };
      await runPieces(plan, pieces, target, { signal, onBytes });
      return {};
    },
    async finish() {},
    async close() {},
  };
}

/** Creates an executor for the tasks of a merge that other machines run. */
function createRemoteExecutor(
  plan: MergePlan,
  merge: DescribedMerge,
  remote: RemoteMergeExecutor,
): MergeExecutor {
  const { target } = merge;
  const placing = limitAtOnce(PLACED_AT_ONCE);
  // Other machines make numbers, and this one encodes them.
  const isEncoded = [...target.tensors.values()].some(({ encoding }) => encoding !== undefined);
  const isPlaced = remote.isShared && !isEncoded;
  return {
    capacity: remote.capacity,
    isRemote: true,
    async run({ params }, control) {
      const task = params as MergeTask;
      const { folder, remove } = await remote.run(describePieces(merge, task, isPlaced), control);
      if (!isPlaced) await placing(() => unpackPieces(plan, { ...task, folder }, target));
      // A merge that is killed between the two lines makes these pieces again, and leaves nothing behind.
      await remove();
      // Machines that share a folder cannot append to one file at once: it is noted here.
      for (const piece of task.pieces) await noteFinished(target.folder, piece);
      return {};
    },
    finish: () => remote.clear(),
    close: () => remote.close(),
  };
}

/** Options of {@link runMergeTasks}. */
export interface RunMergeTasksOptions {
  /** Executor that makes the pieces of each task. */
  readonly executor: MergeExecutor;
  /** Most bytes that the surveys of concurrent tasks may hold together. */
  readonly room: number;
  /** Folder of unfinished files, with the journal. */
  readonly folder: string;
  /** Signal that stops all tasks; undefined if they are never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called with the bytes written by tasks so far. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Runs tasks concurrently, as many as the executor accepts and the memory of their surveys allows, at least
 * one.
 * @throws the error of the first task that fails, once the others have stopped
 */
export async function runMergeTasks(
  tasks: readonly MergeTask[],
  { executor, room, folder, signal, onBytes }: RunMergeTasksOptions,
): Promise<void> {
  const waiting = [...tasks];
  const running = new Map<MergeTask, { end: Promise<void>; bytes: number }>();
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  let done = 0;
  let failure: { readonly error: unknown } | undefined;
  const report = (): void => onBytes([...running.values()].reduce((sum, { bytes }) => sum + bytes, done));
  const start = (task: MergeTask): void => {
    const state = { end: Promise.resolve(), bytes: 0 };
    running.set(task, state);
    const assignment = { kind: "merge", params: task, inputs: {}, folder };
    const onProgress = (share: number): void => {
      state.bytes = share * task.bytes;
      report();
    };
    state.end = executor
      .run(assignment, { signal: stop.signal, onProgress })
      .then(() => {
        done += task.bytes;
      })
      .catch((error: unknown) => {
        failure ??= { error };
        stop.abort(error);
      })
      .finally(() => {
        running.delete(task);
        report();
      });
  };
  const heldBytes = (): number => [...running.keys()].reduce((sum, { memory }) => sum + memory, 0);
  const takeNext = (): MergeTask | undefined => {
    const place = waiting.findIndex(
      ({ memory }) => memory === 0 || running.size === 0 || heldBytes() + memory <= room,
    );
    return place < 0 ? undefined : waiting.splice(place, 1)[0];
  };
  try {
    for (;;) {
      while (!stop.signal.aborted && running.size < executor.capacity) {
        const task = takeNext();
        if (task === undefined) break;
        start(task);
      }
      if (running.size === 0) break;
      await Promise.race([...running.values()].map(({ end }) => end));
    }
  } finally {
    signal?.removeEventListener("abort", abort);
  }
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
