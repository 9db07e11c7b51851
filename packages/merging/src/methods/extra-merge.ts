import { allocateData, at, type Elements, lerpInto } from "@isthmus/core";
import type { MergeMethod } from "../merge-method.ts";
import { findWideWindow } from "../series/series-weights.ts";
import { addWeightedInto, positionsOfWeight } from "../weighted-sum.ts";

const PARAMETERS = {
  window: {
    description:
      "How many checkpoints each of the two averages takes; by default all but one, if there are fewer.",
    of: "merge",
    default: 6,
    least: 1,
  },
  alpha: {
    description: "How far to go beyond the later average, as a share of the way between the two averages.",
    of: "merge",
    default: 0.5,
    least: 0,
  },
} as const;

/** Weights of the checkpoints in the earlier and in the later of two averages. */
interface TwoAverages {
  readonly early: readonly number[];
  readonly late: readonly number[];
}

/**
 * Point on the line through two averages of checkpoints of one run, beyond the later average:
 * `late + alpha (late - early)`.
 *
 * `early` is the mean of the oldest `window` checkpoints, `late` that of the latest. Averages of late
 * checkpoints of a run lie nearly on a line, as averaging removes the directions in which training swings to
 * and fro (Extra-Merge, arXiv 2605.26484). The paper finds the direction of that line among several averages
 * by their first principal component, according to its abstract and to reports of it; this method takes
 * the secant through the first and the last average, which is the same line if the averages lie on one, and
 * which is computed range by range. With `alpha` 0 the result is that of `lawa`. Which `alpha` is best is
 * found by measuring the loss of some.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { extraMerge, merge } from "@isthmus/merging";
 *
 * const save = (x: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) });
 * const saved = [1, 3, 5, 7].map(save);
 * const beyond = merge(saved, { method: extraMerge, parameters: { window: 2, alpha: 0.5 } });
 * assert.deepEqual((await beyond.read("w")).data, Float32Array.of(8)); // 6 + 0.5 (6 - 2)
 * ```
 */
export const extraMerge: MergeMethod<typeof PARAMETERS, TwoAverages> = {
  name: "extra_merge",
  description: "Goes on along the line through averages of early and late checkpoints of one run.",
  source:
    "Zhou et al., Extra-Merge: tracing the rank-1 subspace of model merging in language model pre-training, 2026, abstract",
  parameters: PARAMETERS,
  networks: { least: 1, base: "none" },
  integersFrom: (_, count) => count - 1,
  findConflict: ({ window }, count) =>
    findWideWindow(window, { most: Math.max(1, count - 1), count, usual: PARAMETERS.window.default }),
  networksRead({ window, alpha }, count) {
    const { early, late } = averagesOf(count, window);
    return positionsOfWeight(late.map((weight, i) => weight + (alpha === 0 ? 0 : at(early, i))));
  },
  survey: ({ parameters, networks }) => averagesOf(networks.length, parameters.window),
  blendInto({ tensor, parts, survey: { early, late } }, out) {
    const { alpha } = tensor.parameters;
    if (alpha === 0) return addWeightedInto(parts, late, out);
    lerpInto(averageOf(parts, early, out), averageOf(parts, late, out), 1 + alpha, out);
  },
};

/** Returns the weights of the oldest and of the latest `window` checkpoints, at most all but one. */
function averagesOf(count: number, window: number): TwoAverages {
  const size = Math.min(Math.floor(window), Math.max(1, count - 1));
  const early = Array.from({ length: count }, (_, i) => (i < size ? 1 / size : 0));
  return { early, late: [...early].reverse() };
}

/** Averages parts into new elements of f32, or f64 if the result is f64, so that they are rounded once. */
function averageOf(
  parts: readonly Elements[],
  weights: readonly number[],
  { dtype, data }: Elements,
): Elements {
  const wide = dtype === "f64" ? "f64" : "f32";
  const average = { dtype: wide, data: allocateData(wide, data.length) } as const;
  addWeightedInto(parts, weights, average);
  return average;
}
