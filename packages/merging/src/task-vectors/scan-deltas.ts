import { type Checkpoint, InputError, sizeOf } from "@isthmus/core";
import { withRanges } from "@isthmus/interpolation";
import { withBlockMemory } from "../kernels/block-memory.ts";
import type { MergedTensor } from "../merge-method.ts";
import type { Span, Surveyor } from "../selection/surveyor.ts";
import { BLOCK, type DeltaBlock, forEachDeltas } from "./delta-blocks.ts";

/**
 * Number of elements of each network that are read at a time. With 16 bits, they are so few that reads are
 * not handed to another thread, and that they stay in the cache until they are used.
 */
const CHUNK = 1 << 16;

/** The tensor whose task vectors are scanned. */
export type ScannedTensor = Pick<MergedTensor, "name" | "info" | "networks" | "base">;

/** Options of {@link scanDeltas}. */
export interface ScanDeltasOptions {
  /** Range of positions that are scanned. @defaultValue the whole tensor */
  readonly span?: Span;
  /** Length of rows, of which blocks contain whole ones. @defaultValue undefined: blocks are cut anywhere */
  readonly rowLength?: number | undefined;
  /**
   * Number of elements of a block, rounded to whole rows. @defaultValue so few that deltas stay in the cache
   */
  readonly length?: number;
  /** Whether only an evenly spread sample is read. @defaultValue false */
  readonly isSample?: boolean | undefined;
}

/** Number of elements of one piece of a sample, and distance between the begins of pieces. */
const SAMPLE = { piece: 1 << 11, step: 1 << 15 } as const;

/**
 * Reads the task vectors of a tensor from first to last, block by block; the next range is read while a
 * function processes the current one.
 * @throws InputError if there is no base
 */
export async function scanDeltas(
  tensor: ScannedTensor,
  use: (block: DeltaBlock) => void,
  { span, rowLength = 1, length: blockLength = BLOCK, isSample = false }: ScanDeltasOptions = {},
): Promise<void> {
  const size = sizeOf(tensor.info.shape);
  const chunk = isSample ? SAMPLE.piece : wholeRows(CHUNK, rowLength);
  const step = isSample ? SAMPLE.step : chunk;
  const inputs = [...tensor.networks, baseOf(tensor)];
  const last = Math.min(span?.end ?? size, size);
  let earlier = Promise.resolve();
  for (let begin = alignedDown(span?.begin ?? 0, rowLength); begin < last; begin += step) {
    const length = Math.min(chunk, size - begin);
    const before = earlier;
    earlier = withRanges(inputs, { name: tensor.name, begin, length }, async (all) => {
      await before;
      const base = all[tensor.networks.length];
      if (base === undefined) return;
      forEachDeltas({ begin, parts: all.slice(0, -1), base }, wholeRows(blockLength, rowLength), use);
    });
    // A failure is thrown where the promise is awaited, which may be after the next range has been asked for.
    earlier.catch(() => {});
    await before;
  }
  await earlier;
}

/** Runs the passes that surveyors of the task vectors need, all in the same scans. */
export async function runSurveyors(
  tensor: ScannedTensor,
  surveyors: readonly (Surveyor | undefined)[],
): Promise<void> {
  for (;;) {
    const active = surveyors.map((surveyor) => (surveyor?.span === undefined ? undefined : surveyor));
    const spans = active.flatMap((surveyor) => surveyor?.span ?? []);
    if (spans.length === 0) return;
    const span = {
      begin: Math.min(...spans.map(({ begin }) => begin)),
      end: Math.max(...spans.map(({ end }) => end)),
    };
    const see = (block: DeltaBlock): void => {
      for (const [k, surveyor] of active.entries()) {
        if (surveyor !== undefined) withBlockMemory(() => surveyor.see(block.measured(k), block.begin));
      }
    };
    const isSample = active.every((surveyor) => surveyor === undefined || surveyor.takesSample);
    await scanDeltas(tensor, see, { span, isSample, length: CHUNK });
    for (const surveyor of active) surveyor?.endPass();
  }
}

/**
 * Returns the base of a tensor.
 * @throws InputError if the tensor has no base
 */
export function baseOf({ name, base, networks: [first] }: ScannedTensor): Checkpoint {
  if (base !== undefined) return base;
  throw new InputError(
    `Cannot merge "${name}" as its networks are compared with the one they were made from: give it as base`,
    { input: first.source },
  );
}

/** Rounds a number of elements down to whole rows, at least one. */
export function wholeRows(length: number, rowLength: number): number {
  return Math.max(rowLength, alignedDown(length, rowLength));
}

/** Rounds a position down to the begin of its row. */
export function alignedDown(position: number, rowLength: number): number {
  return position - (position % rowLength);
}
