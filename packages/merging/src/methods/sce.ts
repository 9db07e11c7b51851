import { at, sizeOf } from "@isthmus/core";
import { allocateNumbers } from "../kernels/block-memory.ts";
import { keepMagnitudes, measuredPatterns } from "../kernels/magnitudes.ts";
import { ALL_MAGNITUDES, type Election, mixVectors } from "../kernels/mixtures.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import { variancesInto } from "../kernels/variances.ts";
import { productOf } from "../kernels/vectors.ts";
import type { MergeMethod } from "../merge-method.ts";
import { cutEverything, cutNothing, type RankCut, splitAtCuts } from "../selection/rank-cut.ts";
import { createRankSelector } from "../selection/select-rank.ts";
import { baseOfBlock, vectorOf } from "../task-vectors/blend-deltas.ts";
import type { DeltaBlock } from "../task-vectors/delta-blocks.ts";
import { INT8_MASK, type OfMerge } from "../task-vectors/parameters.ts";
import { type ScannedTensor, scanDeltas } from "../task-vectors/scan-deltas.ts";
import { writeDeltas } from "../task-vectors/write-deltas.ts";

type SceSpecs = { readonly select_topk: OfMerge<number>; readonly int8_mask: OfMerge<boolean> };

interface SceSurvey {
  /** Cut that selects the elements of the largest variance over the networks. */
  readonly selected: RankCut;
  /** Weight of each network, of sum 1. */
  readonly weights: readonly number[];
}

/** Sum of mean squares below which it counts as 0, so that all networks get the same weight. */
const LEAST_ENERGY = 1e-6;

/** Rule that averages the differences of the elected sign. */
const ELECTION: Election = { counts: false, divides: "at least", least: LEAST_ENERGY };

/**
 * Method SCE (select, calculate, erase): weights from the size of each tensor's differences, on the elements
 * that vary most.
 */
export const sce: MergeMethod<SceSpecs, SceSurvey> = {
  name: "sce",
  description:
    "Keeps the elements that vary most, weighs networks by how far they moved, and averages differences of an elected sign.",
  source: "Wan et al., FuseChat, 2024, section 3.3",
  parameters: {
    select_topk: {
      description: "Share of the elements that vary between networks that is kept, the most varying first.",
      of: "merge",
      default: 1,
      least: 0,
      most: 1,
    },
    int8_mask: INT8_MASK,
  },
  networks: { least: 1, base: "required" },
  async survey(tensor) {
    const selected = await select(tensor, tensor.parameters.select_topk);
    const energies = tensor.networks.map(() => 0);
    await scanDeltas(tensor, (block) => {
      keepSelected(block, selected);
      for (const [k, delta] of block.deltas.entries())
        energies[k] = at(energies, k, "network") + productOf(delta, delta);
    });
    const size = sizeOf(tensor.info.shape);
    const total = energies.reduce((sum, energy) => sum + energy / size, 0);
    const weights = energies.map((energy) =>
      total < LEAST_ENERGY ? 1 / energies.length : energy / size / total,
    );
    return { selected, weights };
  },
  blendInto(range, out) {
    const { selected, weights } = range.survey;
    return writeDeltas(range, out, (block, result) => {
      const isThinned = keepSelected(block, selected);
      const vectors = weights.map((weight, k) => {
        const factors = { factor: 1, weight: 1, scale: weight, share: weight };
        return vectorOf(block, k, { kept: isThinned ? undefined : ALL_MAGNITUDES, ...factors });
      });
      mixVectors(vectors, baseOfBlock(block), { election: ELECTION, factor: 1 }, result);
    });
  },
};

/** Finds the elements of the largest variance over the networks. */
async function select(tensor: ScannedTensor, share: number): Promise<RankCut> {
  if (share >= 1) return cutEverything("largest");
  if (share <= 0) return cutNothing("largest");
  const count = (nonzero: number) => Math.trunc(nonzero * share);
  const selector = createRankSelector(sizeOf(tensor.info.shape), [{ order: "largest", count }]);
  for (let span = selector.span; span !== undefined; span = selector.span) {
    await scanDeltas(
      tensor,
      ({ begin, deltas }) => {
        if (selector.span !== undefined) selector.see(measuredPatterns(variancePatterns(deltas)), begin);
      },
      { span, isSample: selector.takesSample },
    );
    selector.endPass();
  }
  return at(selector.cuts(), 0, "cut");
}

/**
 * Sets elements that are not selected to 0 in all task vectors; returns false if all elements are selected.
 */
function keepSelected({ begin, length, deltas }: DeltaBlock, selected: RankCut): boolean {
  if (selected.magnitude === 0 && selected.position === Number.POSITIVE_INFINITY) return false;
  const patterns = variancePatterns(deltas);
  const ranks = { order: "largest", inside: selected } as const;
  for (const { begin: from, end, least, below } of splitAtCuts(ranks, begin, begin + length)) {
    for (const delta of deltas) {
      const place = [from - begin, end - begin] as const;
      const part = delta.subarray(...place);
      const values = part instanceof Float32Array ? patternsOf(part) : part;
      keepMagnitudes(values, patterns.subarray(...place), least, below);
    }
  }
  return true;
}

/** Computes the bit patterns, as f32, of the variance of each element over the networks. */
function variancePatterns([first, ...others]: readonly Numbers[]): Int32Array {
  const deltas = [at([first], 0, "network") as Numbers, ...others] as const;
  const variances = allocateNumbers(false, deltas[0].length) as Float32Array;
  variancesInto(deltas, variances);
  return patternsOf(variances);
}
