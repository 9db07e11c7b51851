import { at, sizeOf } from "@isthmus/core";
import {
  averageByScore,
  type ClippedSizes,
  largestScore,
  type ScoredNetwork,
  type ScoreRange,
  scoreChanges,
} from "../kernels/competition.ts";
import { measuredPatterns } from "../kernels/magnitudes.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import { createRankSelector, type RankAsked, type RankSelector } from "../selection/select-rank.ts";
import { runSurveyors, scanDeltas } from "../task-vectors/scan-deltas.ts";
import { writeDeltas } from "../task-vectors/write-deltas.ts";

const PARAMETERS = {
  density: {
    description: "Share of each network's changes that compete, those with the largest scores.",
    of: "merge",
    default: 0.1,
    least: 0,
    most: 1,
  },
  weight: { description: "Factor of the network's changes.", of: "network", default: 1 },
  lambda: { description: "Factor of the averaged changes.", of: "merge", default: 1.2 },
  clip: {
    description: "Share of the smallest, and of the largest changes of each network whose size is clipped.",
    of: "merge",
    default: 0.0001,
    least: 0,
    most: 0.49,
  },
} as const;

/**
 * PCB-Merging, parameter competition balancing: each change has a score, the larger the more it stands out
 * among the changes of its network and the more the others agree with it. The changes with the largest scores
 * are averaged, weighted by their scores.
 *
 * The score is the authors' code, `exp(n s^2) tanh(d_k d)` for change `d_k` of n networks, its size s between
 * 0 and 1, and the sum d of all changes; equation 2 of the paper has softmax functions over all elements in
 * place of both. Changes are ranked in each tensor, as in the other methods on changes; the authors rank a
 * whole network. A change against the sum never counts here; in their code it would, with a positive weight,
 * if `density` exceeded the share of changes that agree. Their code gives NaN if a single change competes: it
 * counts fully here.
 */
export const pcb: MergeMethod<typeof PARAMETERS, readonly ScoredNetwork[]> = {
  name: "pcb",
  description:
    "Averages the changes to the base that stand out in their network and agree with the others, weighted by a score.",
  source: "Du et al., Parameter competition balancing for model merging, 2024, section 3.2, and its code",
  parameters: PARAMETERS,
  networks: { least: 1, base: "required" },
  async survey(tensor) {
    const { clip, density, weight } = tensor.parameters;
    const sizes = await measureSizes(tensor, clip);
    const ranges = await measureScores(tensor, sizes, density);
    return sizes.map((of, k) => ({
      sizes: of,
      range: at(ranges, k, "network"),
      weight: at(weight, k, "weight"),
    }));
  },
  blendInto(range, out) {
    const { survey: networks, tensor } = range;
    const { lambda } = tensor.parameters;
    return writeDeltas(range, out, ({ base, deltas }, result) => {
      const scores = networks.map(({ sizes }, k) => scoresOf(deltas, k, sizes));
      averageByScore(base, deltas, { scores, networks, lambda }, result);
    });
  },
};

/** Finds the sizes between which the changes of each network are clipped. */
async function measureSizes(tensor: MergedTensor, clip: number): Promise<ClippedSizes[]> {
  const size = sizeOf(tensor.info.shape);
  // A single change stands out of nothing, and is not clipped.
  if (size < 2) return tensor.networks.map(() => ({ least: 0, most: Number.POSITIVE_INFINITY }));
  const first = Math.trunc(size * clip);
  const last = Math.max(first, Math.trunc(size * (1 - clip) - 1));
  const asked = [askFor(size, first), askFor(size, last)];
  const selectors = tensor.networks.map(() => createRankSelector(size, asked));
  await runSurveyors(tensor, selectors);
  return selectors.map((selector) => ({ least: magnitudeOf(selector, 0), most: magnitudeOf(selector, 1) }));
}

/** Finds the scores of each network above which its changes count, and its largest score. */
async function measureScores(
  tensor: MergedTensor,
  sizes: readonly ClippedSizes[],
  density: number,
): Promise<ScoreRange[]> {
  const size = sizeOf(tensor.info.shape);
  const asked = [askFor(size, Math.min(size - 1, Math.trunc(size * (1 - density))))];
  // No sample is taken, as the largest score is looked for as well.
  const selectors = sizes.map(() => createRankSelector(size, asked, Number.POSITIVE_INFINITY));
  const largest = sizes.map(() => 0);
  while (selectors.some(({ span }) => span !== undefined)) {
    await scanDeltas(tensor, ({ deltas, begin }) => {
      for (const [k, selector] of selectors.entries()) {
        if (selector.span === undefined) continue;
        const scores = scoresOf(deltas, k, at(sizes, k, "network"));
        largest[k] = largestScore(scores, at(largest, k, "score"));
        selector.see(measuredPatterns(patternsOf(scores)), begin);
      }
    });
    for (const selector of selectors) if (selector.span !== undefined) selector.endPass();
  }
  return selectors.map((selector, k) => ({ least: magnitudeOf(selector, 0), most: at(largest, k, "score") }));
}

function scoresOf(deltas: readonly Numbers[], network: number, sizes: ClippedSizes): Float32Array {
  const scores = new Float32Array(at(deltas, network, "network").length);
  scoreChanges(deltas, network, sizes, scores);
  return scores;
}

/** Asks for the magnitude at a position in rising order. The search needs an element on the other side. */
function askFor(size: number, position: number): RankAsked {
  return position + 1 < size
    ? { order: "smallest", count: position + 1 }
    : { order: "largest", count: size - position };
}

/** Returns the magnitude at a cut. */
function magnitudeOf(selector: RankSelector, cut: number): number {
  const [magnitude = 0] = new Float32Array(Int32Array.of(at(selector.cuts(), cut, "cut").magnitude).buffer);
  return magnitude;
}
