import { entry, openPositionalFile, type StagedTensor, writeTensorRange } from "@isthmus/core";
import { type MergePlan, mergeByPlan } from "../merge-plan.ts";
import { assertRun, noteFinished } from "./merge-journal.ts";
import type { MergedPiece } from "./merge-tasks.ts";

/** Place that the elements of a tensor are written to. */
export type TensorTarget = Pick<StagedTensor, "path" | "target" | "position">;

/** Where the pieces of a merge are written, as plain data. */
export interface MergeTarget {
  /** Folder of unfinished files, with the journal. */
  readonly folder: string;
  readonly tensors: ReadonlyMap<string, TensorTarget>;
  readonly allowNonFinite: boolean;
  /** Whether the disk must have a piece before the journal says that it is finished. */
  readonly durable: boolean;
  /**
   * Digest of the identity of the merge, if another machine asks for the pieces: its merge may have been
   * given up, and another have begun in the same folder.
   * @defaultValue undefined: this process merges
   */
  readonly run?: string | undefined;
  /**
   * Whether pieces are noted in the journal here; a machine that asks another one for them notes them itself.
   * @defaultValue true
   */
  readonly isNoted?: boolean;
}

/** How a run of pieces is stopped, and where it reports the bytes it has written. */
export interface PiecesControl {
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Makes pieces one after another, writes them into their places, and notes each in the journal. What a method
 * found out about a tensor is forgotten after the last of its pieces in a row.
 * @throws InputError if a file cannot be written, or a number is not finite; what a method throws
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
  const { path, target, position } = entry(tensors, name, "tensor");
  const checkpoint = mergeByPlan(plan);
  const file = await openPositionalFile(path, target);
  try {
    // Once the file is open: a merge that begins anew makes new files before it has a journal.
    if (run !== undefined) await assertRun(folder, run);
    for (const { begin, end, tensor } of pieces) {
      const range = { name, begin, end, file, position };
      await writeTensorRange(checkpoint, range, { allowNonFinite, signal, onBytes });
      if (durable) await file.sync();
      if (isNoted) await noteFinished(folder, { tensor, begin, end });
    }
  } finally {
    await file.close();
  }
}
