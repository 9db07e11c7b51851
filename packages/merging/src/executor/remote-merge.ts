import { entry, InvariantError, MismatchError, stagedFile } from "@isthmus/core";
import { basename } from "@isthmus/platform";
import type { TaskExecutor } from "@isthmus/tasks";
import type { MergePlan } from "../merge-plan.ts";
import { digestPlan } from "./describe-plan.ts";
import type { MergedPiece, MergeTask } from "./merge-tasks.ts";
import { packPieces } from "./packed-pieces.ts";
import { sourceName } from "./provenance.ts";
import { type MergeTarget, type PiecesControl, runPieces } from "./run-pieces.ts";

/** Description of pieces of a merge as plain data, from which another machine makes them. */
export interface MergePiecesParams {
  /** Argument of `openMerge` of the merge's description, such as a recipe. */
  readonly data: unknown;
  /** Digest of the plan that the other machine must make from the data. */
  readonly digest: string;
  /** Whether NaN and infinities are written; otherwise they are errors. */
  readonly allowNonFinite: boolean;
  /** Pieces that the other machine makes, one after the other. */
  readonly pieces: readonly MergedPiece[];
  /** Bytes of all pieces together. */
  readonly bytes: number;
  /**
   * Unfinished files, if the other machine sees them and writes pieces into their places.
   * @defaultValue undefined: the machine writes the pieces one after the other into a separate file
   */
  readonly unfinished?: UnfinishedMerge | undefined;
}

/** Unfinished files into which several machines write. Each machine knows the path of their folder. */
export interface UnfinishedMerge {
  /** Digest of the identity of the merge to which the folder must belong. */
  readonly run: string;
  /** Places of the pieces' tensors in the unfinished files, by the names of tensors. */
  readonly tensors: readonly (readonly [name: string, place: UnfinishedTensor])[];
  /** Whether a piece must be on the disk before it counts as finished. */
  readonly durable: boolean;
}

/** Place of a tensor in an unfinished file. */
export interface UnfinishedTensor {
  /** Name of the file in the folder of unfinished files. */
  readonly file: string;
  /** Position of the first byte of the tensor in the file. */
  readonly position: number;
}

/** An executor that makes pieces of one merge on other machines. */
export interface RemoteMergeExecutor {
  /** Number of tasks that the executor runs at once. */
  readonly capacity: number;
  /** Whether other machines see the unfinished files, and write into them. */
  readonly isShared: boolean;
  /** Makes pieces, and returns once they are written to their places or to a separate file. */
  run(params: MergePiecesParams, control: Parameters<TaskExecutor["run"]>[1]): Promise<RemotePieces>;
  /** Removes the files of tasks on other machines, once all pieces are in their places. */
  clear(): Promise<void>;
  /** Closes the connections to other machines. */
  close(): Promise<void>;
}

/** Pieces that another machine has made. */
export interface RemotePieces {
  /** Folder on this machine with the file of the pieces, unless they are already in their places. */
  readonly folder: string;
  /** Removes all copies of that file, once its pieces are in their places. */
  remove(): Promise<void>;
}

/**
 * Makes an executor for the pieces of one merge.
 * @param folder - folder of unfinished files, which may also hold notes of the executor
 */
export type OpenMergeExecutor = (folder: string) => Promise<RemoteMergeExecutor>;

/**
 * Least bytes of a task for another machine: the transport of smaller tasks would cost more time than they
 * save.
 */
export const REMOTE_BYTES: number = 2 ** 27;

/** Number of parts into which a large merge is cut for other machines, for any number of machines. */
export const REMOTE_PARTS = 256;

/** A merge whose pieces other machines make. */
export interface DescribedMerge extends Pick<MergePiecesParams, "data" | "digest"> {
  /** Digest of the identity of the merge. */
  readonly run: string;
  /** Places to which the pieces are written on this machine. */
  readonly target: MergeTarget;
}

/**
 * Describes a task of a merge for another machine.
 * @param isPlaced - whether that machine writes the pieces to their places in the unfinished files
 */
export function describePieces(
  { data, digest, run, target }: DescribedMerge,
  { pieces, bytes }: Pick<MergeTask, "pieces" | "bytes">,
  isPlaced: boolean,
): MergePiecesParams {
  const { allowNonFinite, durable } = target;
  const params = { data, digest, allowNonFinite, pieces, bytes };
  if (!isPlaced) return params;
  const names = [...new Set(pieces.map(({ tensor }) => tensor))];
  const tensors = names.map((name) => {
    const { path, position } = entry(target.tensors, name, "tensor");
    return [name, { file: basename(path), position }] as const;
  });
  return { ...params, unfinished: { run, tensors, durable } };
}

/** Folders and control of pieces that are made for another machine. */
export interface RunMergePiecesControl extends PiecesControl {
  /** Folder of the task, for the file of the pieces if this machine does not see the unfinished files. */
  readonly folder: string;
  /** Folder of the unfinished files, if this machine sees them. */
  readonly unfinishedFolder?: string | undefined;
}

/**
 * Makes pieces of a merge that another machine has planned. It writes them to their places in the unfinished
 * files, or to a separate file if these are not seen. The machine that waits adds them to the journal.
 * @throws MismatchError if the plan differs from the plan of the other machine
 */
export async function runMergePieces(
  plan: MergePlan,
  { digest, allowNonFinite, pieces, bytes, unfinished }: MergePiecesParams,
  { folder, unfinishedFolder, ...control }: RunMergePiecesControl,
): Promise<void> {
  if (digestAnywhere(plan) !== digest) {
    throw new MismatchError(
      "Cannot merge on this machine as its files must give the plan that was made elsewhere: they give another one; let all machines have the same version of isthmus, and see the same files",
      { parameters: ["digest"] },
    );
  }
  if (unfinished === undefined) {
    await packPieces(plan, { pieces, bytes, allowNonFinite, folder }, control);
    return;
  }
  if (unfinishedFolder === undefined)
    throw new InvariantError("a machine that sees unfinished files knows where they are");
  const target = { ...targetIn(unfinishedFolder, unfinished), allowNonFinite, isNoted: false };
  await runPieces(plan, pieces, target, control);
}

/**
 * Returns the places to which pieces are written on this machine, which are all in the files of one
 * unfinished checkpoint.
 */
function targetIn(
  folder: string,
  { run, durable, tensors }: UnfinishedMerge,
): Omit<MergeTarget, "allowNonFinite"> {
  const placed = tensors.map(
    ([name, { file, position }]) => [name, { position, ...stagedFile(folder, file) }] as const,
  );
  return { folder, run, durable, tensors: new Map(placed) };
}

/** Computes a digest of a plan that does not depend on the folders of its files. */
export function digestAnywhere(plan: MergePlan): string {
  const networks = plan.networks.map(({ source }) => ({ source: sourceName(source) }));
  return digestPlan({ ...plan, networks }, false);
}

/**
 * Joins consecutive tasks until each has at least `least` bytes, which makes it worth another machine's time.
 */
export function joinTasks(tasks: readonly MergeTask[], least: number): readonly MergeTask[] {
  const joined: MergeTask[] = [];
  let open: MergeTask | undefined;
  for (const task of tasks) {
    open =
      open === undefined
        ? task
        : {
            pieces: [...open.pieces, ...task.pieces],
            bytes: open.bytes + task.bytes,
            memory: Math.max(open.memory, task.memory),
          };
    if (open.bytes < least) continue;
    joined.push(open);
    open = undefined;
  }
  return open === undefined ? joined : [...joined, open];
}
