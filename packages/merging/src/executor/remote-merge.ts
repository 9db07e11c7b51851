import { basename } from "node:path";
import { entry, InvariantError, MismatchError, stagedFile } from "@isthmus/core";
import type { TaskExecutor } from "@isthmus/tasks";
import type { MergePlan } from "../merge-plan.ts";
import { digestPlan } from "./describe-plan.ts";
import type { MergedPiece, MergeTask } from "./merge-tasks.ts";
import { packPieces } from "./packed-pieces.ts";
import { sourceName } from "./provenance.ts";
import { type MergeTarget, type PiecesControl, runPieces } from "./run-pieces.ts";

/** Some pieces of a merge as plain data, from which another machine makes them in their places. */
export interface MergePiecesParams {
  /** What the module of the merge's description is called with, such as a recipe. */
  readonly data: unknown;
  /** Digest of the plan that must follow from it. */
  readonly digest: string;
  readonly allowNonFinite: boolean;
  readonly pieces: readonly MergedPiece[];
  /** Bytes that the pieces have together. */
  readonly bytes: number;
  /**
   * The unfinished files, where the other machine sees them too, and writes pieces into their places.
   * @defaultValue it writes them into a file of its own, one after the other
   */
  readonly unfinished?: UnfinishedMerge | undefined;
}

/** Unfinished files that several machines write into. Their folder follows from where a task runs. */
export interface UnfinishedMerge {
  /** Digest of the identity of the merge that the folder must be of. */
  readonly run: string;
  /** Where the tensors that the pieces are of stand in the unfinished files, by name. */
  readonly tensors: readonly (readonly [name: string, place: UnfinishedTensor])[];
  readonly durable: boolean;
}

/** Place of a tensor in an unfinished file. */
export interface UnfinishedTensor {
  /** Name of the file in the folder of unfinished files. */
  readonly file: string;
  /** Position in the file of the first byte of the tensor. */
  readonly position: number;
}

/** An executor that makes pieces of one merge elsewhere. */
export interface RemoteMergeExecutor {
  /** Tasks that it takes at once. */
  readonly capacity: number;
  /** Whether other machines see the unfinished files, and write into them. */
  readonly isShared: boolean;
  /** Makes pieces, and returns once they are written, into their places or into a file of their own. */
  run(params: MergePiecesParams, control: Parameters<TaskExecutor["run"]>[1]): Promise<RemotePieces>;
  /** Removes all that tasks have left elsewhere, once all pieces are in their places. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Pieces that another machine has made. */
export interface RemotePieces {
  /** Folder of this machine that holds the file of the pieces, if they are not in their places. */
  readonly folder: string;
  /** Removes that file wherever it is, once all of it is in its places. */
  remove(): Promise<void>;
}

/**
 * Makes an executor for the pieces of one merge.
 * @param folder - folder of unfinished files, which may hold what the executor has to note, too
 */
export type OpenMergeExecutor = (folder: string) => Promise<RemoteMergeExecutor>;

/**
 * Least bytes of a task that another machine makes: smaller ones would cost more on the way than they save.
 */
export const REMOTE_BYTES: number = 2 ** 27;

/** Number of parts that a large merge is cut into for other machines, whatever their number. */
export const REMOTE_PARTS = 256;

/** A merge whose pieces other machines make. */
export interface DescribedMerge extends Pick<MergePiecesParams, "data" | "digest"> {
  /** Digest of its identity. */
  readonly run: string;
  readonly target: MergeTarget;
}

/**
 * Describes a task of a merge for another machine.
 * @param isShared - whether that machine sees the unfinished files
 */
export function describePieces(
  { data, digest, run, target }: DescribedMerge,
  { pieces, bytes }: Pick<MergeTask, "pieces" | "bytes">,
  isShared: boolean,
): MergePiecesParams {
  const { allowNonFinite, durable } = target;
  const params = { data, digest, allowNonFinite, pieces, bytes };
  if (!isShared) return params;
  const names = [...new Set(pieces.map(({ tensor }) => tensor))];
  const tensors = names.map((name) => {
    const { path, position } = entry(target.tensors, name, "tensor");
    return [name, { file: basename(path), position }] as const;
  });
  return { ...params, unfinished: { run, tensors, durable } };
}

/** Where another machine makes pieces of a merge. */
export interface RunMergePiecesControl extends PiecesControl {
  /** Folder of the task, for the file of the pieces where the unfinished files are not seen. */
  readonly folder: string;
  /** Folder of the unfinished files, where they are seen. */
  readonly unfinishedFolder?: string | undefined;
}

/**
 * Makes pieces of a merge that another machine has planned, and writes them into their places, or into a file
 * of their own where these are not seen; whoever waits notes them in the journal.
 * @throws MismatchError if the plan is another one here
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

/** Returns where pieces are written on this machine: in the files of one unfinished checkpoint alone. */
function targetIn(
  folder: string,
  { run, durable, tensors }: UnfinishedMerge,
): Omit<MergeTarget, "allowNonFinite"> {
  const placed = tensors.map(
    ([name, { file, position }]) => [name, { position, ...stagedFile(folder, file) }] as const,
  );
  return { folder, run, durable, tensors: new Map(placed) };
}

/** Computes a digest of a plan that does not depend on where its files lie. */
export function digestAnywhere(plan: MergePlan): string {
  const networks = plan.networks.map(({ source }) => ({ source: sourceName(source) }));
  return digestPlan({ ...plan, networks }, false);
}

/** Joins tasks that follow each other until each has bytes enough to be worth another machine's while. */
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
