import { byteLengthOf, DTYPES, entry, sizeOf } from "@isthmus/core";
import type { MergePlan, PlannedTensor } from "../merge-plan.ts";

/** Elements `[begin, end)` of a tensor of the result. */
export interface MergedPiece {
  /** Name of the tensor in the result. */
  readonly tensor: string;
  /** Position of the first element, in row-major order. */
  readonly begin: number;
  /** Position after the last element. */
  readonly end: number;
}

/** Pieces that one thread makes, one after another. */
export interface MergeTask {
  /** Pieces of one or several tensors. */
  readonly pieces: readonly MergedPiece[];
  /** Bytes that the task writes. */
  readonly bytes: number;
  /** Most bytes that the surveys of the task hold, in addition to the memory of every thread. */
  readonly memory: number;
}

/** Options of {@link cutIntoTasks}. */
export interface CutOptions {
  /** Number of tasks that run at once, among which the work is divided evenly. */
  readonly threads: number;
  /** Bytes of the result in one piece, a multiple of 8. */
  readonly pieceBytes: number;
  /**
   * Number of times that the survey of each tensor reads its sources, by the name of the tensor; 0 without a
   * survey.
   */
  readonly passes: ReadonlyMap<string, number>;
  /** Checks whether a piece is already finished. */
  readonly isDone: (piece: MergedPiece) => boolean;
  /**
   * Number of elements of a tensor that one piece must hold together, by its name. @defaultValue 1 for each
   */
  readonly togetherOf?: ((name: string) => number) | undefined;
}

/**
 * Cuts a merge into tasks, which may run in any order and concurrently.
 *
 * Pieces of a tensor with a survey stay in one task, because each task has to repeat the survey, unless the
 * tensor is more work than the share of one thread. Small tensors share a task. Large tasks come first, so
 * that no thread starts one at the end; the other tasks are in the order of the plan, in which files are read
 * fastest.
 */
export function cutIntoTasks(
  { tensors }: Pick<MergePlan, "tensors">,
  { threads, pieceBytes, passes, isDone, togetherOf = () => 1 }: CutOptions,
): readonly MergeTask[] {
  const total = [...tensors].reduce((sum, [name, planned]) => sum + costOf(planned, passes.get(name)), 0);
  const share = total / threads;
  const tasks: MergeTask[] = [];
  let small: MergedPiece[] = [];
  const flush = (): void => {
    if (small.length > 0) tasks.push(createTask(small, tensors));
    small = [];
  };
  for (const [name, planned] of tensors) {
    const pieces = piecesOf(name, planned, { pieceBytes, together: togetherOf(name) }).filter(
      (piece) => !isDone(piece),
    );
    if (isSmall(planned, pieceBytes)) {
      small.push(...pieces);
      if (bytesOf(small, tensors) >= pieceBytes) flush();
      continue;
    }
    const surveyed = entry(passes, name, "tensor") > 0;
    const count = surveyed
      ? Math.max(1, Math.round(costOf(planned, passes.get(name)) / share))
      : pieces.length;
    tasks.push(...groupsOf(pieces, count).map((group) => createTask(group, tensors)));
  }
  flush();
  const isLarge = (task: MergeTask): boolean => task.bytes > total / threads / 8;
  return [
    ...tasks.filter(isLarge).sort((a, b) => b.bytes - a.bytes),
    ...tasks.filter((task) => !isLarge(task)),
  ];
}

/** Checks whether a tensor is so small that it shares a task with other tensors. */
function isSmall({ info, method }: PlannedTensor, pieceBytes: number): boolean {
  return byteLengthOf(info) <= pieceBytes / 4 && !method?.keepsTensor;
}

/**
 * Returns the most bytes that are held while a whole tensor is surveyed. The method states them, except for
 * measured Gram matrices: then they are three matrices of the tensor's shape and three Gram matrices, in f64.
 */
export function surveyBytes({ method, info, sources, base, measured }: PlannedTensor): number {
  if (!method?.keepsTensor || !DTYPES[info.dtype].float) return 0;
  if (measured !== undefined) return 24 * (sizeOf(info.shape) + sizeOf(info.shape.slice(1)) ** 2);
  if (method.heldBytes !== undefined) return method.heldBytes(info, sources.length);
  return 4 * sizeOf(info.shape) * (sources.length + (base === undefined ? 0 : 1) + 1);
}

/** Cuts a tensor of the result into pieces that are made and added to the journal one by one. */
function piecesOf(
  tensor: string,
  { info }: PlannedTensor,
  { pieceBytes, together }: { readonly pieceBytes: number; readonly together: number },
): readonly MergedPiece[] {
  const size = sizeOf(info.shape);
  const step = Math.max(1, Math.floor(pieceBytes / DTYPES[info.dtype].bytes / together)) * together;
  return Array.from({ length: Math.ceil(size / step) }, (_, i) => ({
    tensor,
    begin: i * step,
    end: Math.min((i + 1) * step, size),
  }));
}

function groupsOf(pieces: readonly MergedPiece[], count: number): readonly (readonly MergedPiece[])[] {
  const length = Math.ceil(pieces.length / count);
  const groups = Array.from({ length: count }, (_, i) => pieces.slice(i * length, (i + 1) * length));
  return groups.filter((group) => group.length > 0);
}

function createTask(pieces: readonly MergedPiece[], tensors: MergePlan["tensors"]): MergeTask {
  const memory = Math.max(...pieces.map(({ tensor }) => surveyBytes(plannedOf(tensors, tensor))));
  return { pieces, bytes: bytesOf(pieces, tensors), memory };
}

function bytesOf(pieces: readonly MergedPiece[], tensors: MergePlan["tensors"]): number {
  return pieces.reduce(
    (sum, { tensor, begin, end }) =>
      sum + (end - begin) * DTYPES[plannedOf(tensors, tensor).info.dtype].bytes,
    0,
  );
}

const plannedOf = (tensors: MergePlan["tensors"], name: string): PlannedTensor =>
  entry(tensors, name, "tensor");

/** Returns the cost of making a tensor, in bytes that are computed or surveyed. */
function costOf({ info }: PlannedTensor, passes = 0): number {
  return byteLengthOf(info) * (1 + passes);
}
