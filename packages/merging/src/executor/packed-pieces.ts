import {
  type ByteSource,
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  InputError,
  openFileSource,
  openPositionalFile,
  reasonOf,
  viewBytes,
} from "@isthmus/core";
import { join, open, rename } from "@isthmus/platform";
import type { MergePlan } from "../merge-plan.ts";
import type { MergedPiece, MergeTask } from "./merge-tasks.ts";
import { type MergeTarget, type PiecesControl, runPieces, writePiece } from "./run-pieces.ts";

/** Name of the file with the pieces of a task, one after the other. */
const PIECES_FILE = "pieces.bin";

/** Number of bytes that are copied at a time. */
const COPIED = 2 ** 22;

/** Pieces that a task makes, and the folder of their file. */
interface PackedPieces extends Pick<MergeTask, "pieces" | "bytes"> {
  readonly allowNonFinite: boolean;
  /** Folder of the task. */
  readonly folder: string;
}

/**
 * Makes pieces of a merge, and writes them one after the other into a separate file, which gets its name once
 * it is complete.
 * @throws InputError if the file cannot be written, and the errors of `runPieces`
 */
export async function packPieces(
  plan: MergePlan,
  { pieces, bytes, allowNonFinite, folder }: PackedPieces,
  control: PiecesControl,
): Promise<void> {
  const target = join(folder, PIECES_FILE);
  // A file that an interrupted attempt leaves under this name is not reused by the next one.
  const path = `${target}.tmp`;
  await makeFile(path, bytes);
  for (const { run, begin, position } of layOut(plan, pieces)) {
    const { tensor } = run[0];
    // Begin of the tensor in the file, which may be negative, because the file has only some of its pieces.
    const place = { path, target, position: position - begin };
    const tensors = new Map([[tensor, place]]);
    await runPieces(plan, run, { folder, tensors, allowNonFinite, durable: false, isNoted: false }, control);
  }
  await rename(path, target);
}

/**
 * Copies pieces from the file that {@link packPieces} made on another machine into their places.
 * @throws InputError if the size of the file differs from the size of the pieces, or it cannot be copied
 */
export async function unpackPieces(
  plan: MergePlan,
  { pieces, bytes, folder }: Omit<PackedPieces, "allowNonFinite">,
  { tensors, durable, allowNonFinite }: Pick<MergeTarget, "tensors" | "durable" | "allowNonFinite">,
): Promise<void> {
  const source = await openFileSource(join(folder, PIECES_FILE));
  try {
    if (source.size !== bytes) throw wrongSize(source, bytes);
    for (const { run, begin, end, position } of layOut(plan, pieces)) {
      const place = entry(tensors, run[0].tensor, "tensor");
      const file = await openPositionalFile(place.path, place.target);
      try {
        if (place.encoding !== undefined) {
          const packed = packedTensor(plan, run[0].tensor, { source, position: position - begin });
          for (const piece of run) await writePiece(packed, piece, { place, file, allowNonFinite });
        }
        for (let done = 0; done < end - begin && place.encoding === undefined; done += COPIED) {
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

/** Returns a checkpoint of one tensor, some of whose elements are in a file from a position on. */
function packedTensor(
  { tensors }: MergePlan,
  name: string,
  { source, position }: { readonly source: ByteSource; readonly position: number },
): Checkpoint {
  const { info } = entry(tensors, name, "tensor");
  return defineCheckpoint({
    source: source.name,
    tensors: new Map([[name, info]]),
    readInto: (_, begin, out) => source.readInto(position + begin * DTYPES[info.dtype].bytes, viewBytes(out)),
  });
}

/** Consecutive pieces of one tensor. */
interface PieceRun {
  readonly run: readonly [MergedPiece, ...MergedPiece[]];
  /** First byte of these pieces in the tensor; `end` is the byte after the last. */
  readonly begin: number;
  readonly end: number;
  /** Position of the first piece in the file of pieces, in bytes. */
  readonly position: number;
}

/** Returns the positions of pieces in a file that contains only them, one after the other. */
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

/** Creates a file of a given size without content. */
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
