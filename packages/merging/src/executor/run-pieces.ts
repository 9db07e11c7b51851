import {
  type Checkpoint,
  entry,
  openPositionalFile,
  type PositionalFile,
  type StagedTensor,
  writeEncodedRange,
  writeTensorRange,
} from "@isthmus/core";
import { type MergePlan, mergeByPlan } from "../merge-plan.ts";
import { assertRun, noteFinished } from "./merge-journal.ts";
import type { MergedPiece } from "./merge-tasks.ts";

/** Place to which the elements of a tensor are written. */
export type TensorTarget = Pick<StagedTensor, "path" | "target" | "position" | "encoding">;

/** Places to which the pieces of a merge are written, as plain data. */
export interface MergeTarget {
  /** Folder of unfinished files, with the journal. */
  readonly folder: string;
  /** Place of each tensor in the unfinished files, by its name in the result. */
  readonly tensors: ReadonlyMap<string, TensorTarget>;
  /** Whether NaN and infinities are written; otherwise they are errors. */
  readonly allowNonFinite: boolean;
  /** Whether a piece must be on the disk before it is added to the journal. */
  readonly durable: boolean;
  /**
   * Digest of the identity of the merge, if another machine requests the pieces: that merge may have been
   * given up meanwhile, and another may have begun in the same folder.
   * @defaultValue undefined: this process merges
   */
  readonly run?: string | undefined;
  /**
   * Whether this machine adds pieces to the journal; a machine that requests pieces from another adds them
   * itself.
   * @defaultValue true
   */
  readonly isNoted?: boolean;
}

/** Signal that stops a run of pieces, and the receiver of the numbers of bytes that it has written. */
export interface PiecesControl {
  /** Signal that stops the run with its reason. */
  readonly signal: AbortSignal;
  /** Called with the number of bytes written since the last call. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Makes pieces one after another, writes them to their places, and adds each to the journal. The survey of a
 * tensor is forgotten after the last of its consecutive pieces.
 * @throws InputError if a file cannot be written, or a number is not finite, and any error of a method
 * @throws the reason of the signal if it is aborted
 */
export async function runPieces(
  plan: MergePlan,
  pieces: readonly MergedPiece[],
  target: MergeTarget,
  control: PiecesControl,
): Promise<void> {
  let rest = pieces;
  while (rest[0] !== undefined) {
    const name = rest[0].tensor;
    const next = rest.findIndex(({ tensor }) => tensor !== name);
    const group = next < 0 ? rest : rest.slice(0, next);
    rest = next < 0 ? [] : rest.slice(next);
    const planned = new Map([[name, entry(plan.tensors, name, "tensor")]]);
    await runGroup({ ...plan, tensors: planned }, { name, pieces: group }, target, control);
  }
}

/** Makes pieces of one tensor. */
async function runGroup(
  plan: MergePlan,
  { name, pieces }: { readonly name: string; readonly pieces: readonly MergedPiece[] },
  { folder, tensors, allowNonFinite, durable, run, isNoted = true }: MergeTarget,
  { signal, onBytes }: PiecesControl,
): Promise<void> {
  const place = entry(tensors, name, "tensor");
  const checkpoint = mergeByPlan(plan);
  const file = await openPositionalFile(place.path, place.target);
  try {
    // Once the file is open: a merge that starts from the beginning makes new files before it has a journal.
    if (run !== undefined) await assertRun(folder, run);
    for (const { begin, end, tensor } of pieces) {
      await writePiece(checkpoint, { tensor, begin, end }, { place, file, allowNonFinite, signal, onBytes });
      if (durable) await file.sync();
      if (isNoted) await noteFinished(folder, { tensor, begin, end });
    }
  } finally {
    await file.close();
  }
}

/** Place of a piece in an open file, and the options of writing it there. */
interface PieceWriting extends Pick<MergeTarget, "allowNonFinite"> {
  readonly place: TensorTarget;
  readonly file: PositionalFile;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: PiecesControl["onBytes"] | undefined;
}

/**
 * Writes the elements of a piece to their place, in the encoding of the file if it has one.
 * @throws InputError if the file cannot be written, or a number is not finite
 */
export async function writePiece(
  checkpoint: Checkpoint,
  { tensor: name, begin, end }: MergedPiece,
  { place: { position, encoding }, file, ...options }: PieceWriting,
): Promise<void> {
  const range = { name, begin, end, file, position };
  if (encoding === undefined) await writeTensorRange(checkpoint, range, options);
  else await writeEncodedRange(checkpoint, { ...range, encoding }, options);
}
