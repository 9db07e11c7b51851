import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import {
  type ByteSource,
  DTYPES,
  entry,
  InputError,
  openFileSource,
  openPositionalFile,
  reasonOf,
} from "@isthmus/core";
import type { MergePlan } from "../merge-plan.ts";
import type { MergedPiece, MergeTask } from "./merge-tasks.ts";
import { type MergeTarget, type PiecesControl, runPieces } from "./run-pieces.ts";

/** File of the pieces of a task, one after the other. */
const PIECES_FILE = "pieces.bin";

/** Bytes that are copied at a time. */
const COPIED = 2 ** 22;

/** Pieces that a task makes, and where. */
interface PackedPieces extends Pick<MergeTask, "pieces" | "bytes"> {
  readonly allowNonFinite: boolean;
  /** Folder of the task. */
  readonly folder: string;
}

/**
 * Makes pieces of a merge, and writes them one after the other into a file of their own, which gets its name
 * once it is complete.
 * @throws InputError if the file cannot be written; what `runPieces` throws
 */
export async function packPieces(
  plan: MergePlan,
  { pieces, bytes, allowNonFinite, folder }: PackedPieces,
  control: PiecesControl,
): Promise<void> {
  const target = join(folder, PIECES_FILE);
  // What an attempt that was cut off leaves under this name is no start for the next one.
  const path = `${target}.tmp`;
  await makeFile(path, bytes);
  for (const { run, begin, position } of layOut(plan, pieces)) {
    const { tensor } = run[0];
    // The tensor would begin before the file does, were all of it there.
    const place = { path, target, position: position - begin };
    const tensors = new Map([[tensor, place]]);
    await runPieces(plan, run, { folder, tensors, allowNonFinite, durable: false, isNoted: false }, control);
  }
  await rename(path, target);
}

/**
 * Copies pieces from the file that {@link packPieces} made on another machine into their places.
 * @throws InputError if the file has another size than the pieces have, or cannot be copied
 */
export async function unpackPieces(
  plan: MergePlan,
  { pieces, bytes, folder }: Omit<PackedPieces, "allowNonFinite">,
  { tensors, durable }: Pick<MergeTarget, "tensors" | "durable">,
): Promise<void> {
  const source = await openFileSource(join(folder, PIECES_FILE));
  try {
    if (source.size !== bytes) throw wrongSize(source, bytes);
    for (const { run, begin, end, position } of layOut(plan, pieces)) {
      const place = entry(tensors, run[0].tensor, "tensor");
      const file = await openPositionalFile(place.path, place.target);
      try {
        for (let done = 0; done < end - begin; done += COPIED) {
          const from = position + done;
          const part = await source.read(from, Math.min(from + COPIED, position + end - begin));
          await file.write(part, place.position + begin + done);
        }
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
    }
  } finally {
    await source.close();
  }
}

/** Pieces of one tensor that follow each other. */
interface PieceRun {
  readonly run: readonly [MergedPiece, ...MergedPiece[]];
  /** The bytes `[begin, end)` of the tensor that they are. */
  readonly begin: number;
  readonly end: number;
  /** Position of the first of them in the file of pieces. */
  readonly position: number;
}

/** Returns where pieces stand in a file of nothing else. */
function layOut(
  { tensors }: Pick<MergePlan, "tensors">,
  pieces: readonly MergedPiece[],
): readonly PieceRun[] {
  const runs: PieceRun[] = [];
  let position = 0;
  for (const piece of pieces) {
    const { bytes } = DTYPES[entry(tensors, piece.tensor, "tensor").info.dtype];
    const [begin, end] = [piece.begin * bytes, piece.end * bytes];
    const last = runs.at(-1);
    if (last !== undefined && last.run[0].tensor === piece.tensor && last.end === begin) {
      runs.splice(-1, 1, { ...last, run: [...last.run, piece], end });
    } else runs.push({ run: [piece], begin, end, position });
    position += end - begin;
  }
  return runs;
}

/** Makes a file of a size, without content. */
async function makeFile(path: string, size: number): Promise<void> {
  try {
    const handle = await open(path, "w");
    try {
      await handle.truncate(size);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new InputError(`Cannot write "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
}

function wrongSize({ name, size }: ByteSource, bytes: number): InputError {
  return new InputError(
    `Cannot take pieces of a merge from "${name}" as it must hold them and nothing else, ${bytes} bytes: it has ${size}; remove it, and start again`,
    { input: name },
  );
}
