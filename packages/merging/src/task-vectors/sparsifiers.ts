import { at, OutOfRangeError } from "@isthmus/core";
import { allocatePatterns } from "../kernels/block-memory.ts";
import { keepMagnitudes } from "../kernels/magnitudes.ts";
import { dropByRank } from "../kernels/rank-rows.ts";
import { keepBelow } from "../kernels/vectors.ts";
import { randomBitsInto } from "../random/random-bits.ts";
import type { StreamKey } from "../random/stream-key.ts";
import { type KeptRanks, magnitudesKept, splitAtCuts } from "../selection/rank-cut.ts";
import { createRankSelector, type RankSelector } from "../selection/select-rank.ts";
import type { OfNetwork } from "./parameters.ts";
import type { Sparsifier, Thinning } from "./sparsifier.ts";

/** Parameters of {@link byMagnitudeWithoutOutliers}. */
export type OutlierSpecs = { /** Share that is dropped as outliers. */ readonly gamma: OfNetwork<number> };

/** Parameters of {@link byChanceInRows}. */
export type RowChanceSpecs = { /** Distance from the density. */ readonly epsilon: OfNetwork<number> };

/**
 * Sparsifier that keeps the largest elements, at least one; the first of equal elements. Yadav et al., 2023,
 * section 4.1.
 */
export const byMagnitude: Sparsifier = {
  parameters: {},
  prepare({ size, density }) {
    const count = Math.max(1, Math.trunc(density * size));
    const selector = createRankSelector(size, [{ order: "largest", count }]);
    return thinByRank(selector, () => ({ order: "largest", inside: at(selector.cuts(), 0, "cut") }));
  },
};

/** Sparsifier that drops the largest elements, then the smallest. Davari and Belilovsky, 2023, section 3. */
export const byMagnitudeWithoutOutliers: Sparsifier = {
  parameters: {
    gamma: {
      description: "Share of the largest differences that is dropped as outliers.",
      of: "network",
      default: 0.01,
      least: 0,
      most: 1,
    },
  },
  prepare({ size, density, parameter }) {
    const target = Math.trunc(density * size);
    const outliers = Math.trunc(parameter("gamma") * size);
    // Fewer outliers are dropped if otherwise too few elements would be left.
    const small = Math.max(0, size - target - outliers);
    const selector = createRankSelector(size, [
      { order: "smallest", count: small },
      { order: "smallest", count: small + target },
    ]);
    return thinByRank(selector, () => {
      const cuts = selector.cuts();
      return { order: "smallest", outside: at(cuts, 0, "cut"), inside: at(cuts, 1, "cut") };
    });
  },
};

/** Sparsifier that keeps each element with the same probability. Yu et al., 2023, section 3.2. */
export const byChance: Sparsifier = {
  parameters: {},
  prepare({ density, key }) {
    const draw = createDrawer(key);
    return {
      thin(delta, _patterns, begin) {
        keepBelow(delta, draw(begin, delta.length), density);
      },
    };
  },
};

/**
 * Sparsifier that keeps elements with probabilities that grow with their ranks in their rows. Deep et al.,
 * 2024, section 3.1.
 */
export const byChanceInRows: Sparsifier = {
  parameters: {
    epsilon: {
      description:
        "How far the probability to keep an element goes below and above the density, from the smallest to the largest.",
      of: "network",
      default: 0.15,
      least: 0,
      most: 1,
    },
  },
  needsRows: true,
  findConflict({ density, parameter }) {
    const epsilon = parameter("epsilon");
    if (density + epsilon < 1 && density - epsilon > 0) return undefined;
    const text = `must leave density - epsilon and density + epsilon between 0 and 1: density is ${density} and epsilon ${epsilon}`;
    return { parameter: "epsilon", text };
  },
  prepare({ tensor, density, rowLength, key, parameter }) {
    const epsilon = parameter("epsilon");
    const conflict = byChanceInRows.findConflict?.({ density, parameter });
    if (conflict !== undefined)
      throw new OutOfRangeError(`Cannot thin out "${tensor}" as epsilon ${conflict.text}`);
    const draw = createDrawer(key);
    return {
      thin(delta, patterns, begin) {
        const bits = draw(begin, delta.length);
        dropByRank(delta, patterns, bits, { rowLength, least: density - epsilon, most: density + epsilon });
      },
    };
  },
};

/**
 * Returns a function that draws random bits for a block, which are valid as long as the memory of the block.
 */
function createDrawer(key: StreamKey): (begin: number, count: number) => Uint32Array {
  return (begin, count) => randomBitsInto(key, begin, allocatePatterns(count));
}

function thinByRank(surveyor: RankSelector, ranksOf: () => KeptRanks): Thinning {
  let ranks: KeptRanks | undefined;
  const ranksFound = (): KeptRanks => {
    ranks ??= ranksOf();
    return ranks;
  };
  return {
    surveyor,
    magnitudes(begin, length) {
      const range = magnitudesKept(ranksFound(), begin, begin + length);
      return range && { least: range.least, span: Math.max(0, range.below - range.least) };
    },
    thin(delta, patterns, begin) {
      for (const { begin: from, end, least, below } of splitAtCuts(
        ranksFound(),
        begin,
        begin + delta.length,
      )) {
        const [first, last] = [from - begin, end - begin];
        const part = patterns.subarray(first, last);
        // The bits of f32 differences are their patterns, so that changing these changes them.
        const values = delta instanceof Float64Array ? delta.subarray(first, last) : part;
        keepMagnitudes(values, part, least, below);
      }
    },
  };
}
