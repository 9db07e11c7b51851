import { at, sizeOf } from "@isthmus/core";
import { allocateNumbers } from "../kernels/block-memory.ts";
import { keepImportant, sizesTimes } from "../kernels/importance.ts";
import { measuredPatterns } from "../kernels/magnitudes.ts";
import { softmaxDivergence } from "../kernels/softmax.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import { addChanges } from "../kernels/vectors.ts";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import type { RankCut } from "../selection/rank-cut.ts";
import { createRankSelector } from "../selection/select-rank.ts";
import { type ScannedTensor, scanDeltas } from "../task-vectors/scan-deltas.ts";
import { writeDeltas } from "../task-vectors/write-deltas.ts";

interface FusionSurvey {
  /** Number of elements of a row along the last axis. */
  readonly rowLength: number;
  /** Divergence of each row of the network from the row of the base. */
  readonly divergences: Float64Array;
  /** Least importance of an element that is taken from the network. */
  readonly threshold: number;
}

/** Method that replaces elements of outstanding importance in the base by elements of the network. */
export const arceeFusion: MergeMethod<Record<never, never>, FusionSurvey> = {
  name: "arcee_fusion",
  description:
    "Takes elements of the network whose differences are important: large, and in rows whose softmax differs most.",
  source: "Arcee AI, mergekit 0.1.5, arcee_fusion, 2026",
  parameters: {},
  networks: { least: 1, most: 1, base: "required" },
  async survey(tensor) {
    const { shape } = tensor.info;
    const rowLength = Math.max(1, shape.at(-1) ?? 1);
    const divergences = await measureRows(tensor, rowLength);
    const threshold = await findThreshold(tensor, { rowLength, divergences });
    return { rowLength, divergences, threshold };
  },
  blendInto(range, out) {
    const { threshold } = range.survey;
    return writeDeltas(range, out, ({ begin, base, deltas }, result) => {
      const delta = at(deltas, 0, "network");
      keepImportant(delta, importanceOf(delta, begin, range.survey), threshold);
      addChanges(base, delta, result);
    });
  },
};

async function measureRows(tensor: ScannedTensor, rowLength: number): Promise<Float64Array> {
  const divergences = new Float64Array(sizeOf(tensor.info.shape) / rowLength);
  await scanDeltas(
    tensor,
    (block) => {
      const { begin, base } = block;
      const numbers = block.network(0);
      for (let from = 0; from < base.length; from += rowLength) {
        const row = numbers.subarray(from, from + rowLength);
        divergences[(begin + from) / rowLength] = softmaxDivergence(
          row,
          base.subarray(from, from + rowLength),
        );
      }
    },
    { rowLength },
  );
  return divergences;
}

/**
 * Finds the threshold of importance, which exceeds that of most elements: the median plus 1.5 times the
 * interquartile range.
 */
async function findThreshold(
  tensor: Pick<MergedTensor, keyof ScannedTensor>,
  rows: Pick<FusionSurvey, "rowLength" | "divergences">,
): Promise<number> {
  const size = sizeOf(tensor.info.shape);
  const quantiles = [0.25, 0.5, 0.75].map((share) => Math.trunc(Math.fround(share * (size - 1))) + 1);
  const selector = createRankSelector(
    size,
    quantiles.map((count) => ({ order: "smallest", count: Math.min(count, size - 1) })),
  );
  for (let span = selector.span; span !== undefined; span = selector.span) {
    await scanDeltas(
      tensor,
      ({ begin, deltas }) => {
        if (selector.span === undefined) return;
        const importance = importanceOf(at(deltas, 0, "network"), begin, rows);
        selector.see(measuredPatterns(patternsOf(importance)), begin);
      },
      { span, isSample: selector.takesSample },
    );
    selector.endPass();
  }
  const [low = 0, median = 0, high = 0] = selector.cuts().map(valueOfCut);
  return Math.fround(median + Math.fround(1.5 * Math.fround(high - low)));
}

function valueOfCut({ magnitude }: RankCut): number {
  return at(new Float32Array(Int32Array.of(magnitude).buffer), 0);
}

function importanceOf(
  delta: Numbers,
  begin: number,
  { rowLength, divergences }: Pick<FusionSurvey, "rowLength" | "divergences">,
): Float32Array {
  const importance = allocateNumbers(false, delta.length) as Float32Array;
  const last = begin + delta.length;
  for (let from = begin; from < last; from = (Math.floor(from / rowLength) + 1) * rowLength) {
    const until = Math.min(last, (Math.floor(from / rowLength) + 1) * rowLength);
    const place = [from - begin, until - begin] as const;
    const divergence = at(divergences, Math.floor(from / rowLength), "row");
    sizesTimes(delta.subarray(...place), divergence, importance.subarray(...place));
  }
  return importance;
}
