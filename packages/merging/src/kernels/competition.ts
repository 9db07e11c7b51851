import type { Numbers } from "../number-blocks.ts";

/** Sizes between which the changes of a network are clipped. */
export interface ClippedSizes {
  /** Smallest size; smaller changes are enlarged to it. */
  readonly least: number;
  /** Largest size; larger changes are shortened to it. */
  readonly most: number;
}

/** Scores above which the changes of a network count, and the largest score. */
export interface ScoreRange {
  /** Score up to which changes do not count. */
  readonly least: number;
  /** Largest score, which counts as 1. */
  readonly most: number;
}

/**
 * Scores each change of one network: how large it is among the network's own, times how much it agrees with
 * the sum of all changes. Negative scores, of changes against the sum, become 0.
 * @param changes - changes of each network
 */
export function scoreChanges(
  changes: readonly Numbers[],
  network: number,
  { least, most }: ClippedSizes,
  out: Float32Array,
): void {
  const scored = changes[network]!;
  const count = changes.length;
  for (let i = 0; i < scored.length; i++) {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += changes[k]![i]!;
    const size = Math.min(Math.max(Math.abs(scored[i]!), least), most);
    const share = most > least ? (size - least) / (most - least) : 0;
    // The largest exponent is subtracted, which scales all scores of a network alike and avoids infinity.
    const score = Math.exp(count * (share * share - 1)) * Math.tanh(scored[i]! * sum);
    out[i] = Number.isNaN(score) || score > 0 ? score : 0;
  }
}

/** Returns the largest of scores and `least`. */
export function largestScore(scores: Float32Array, least: number): number {
  let most = least;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > most) most = scores[i]!;
  return most;
}

/** A network's part of {@link averageByScore}. */
export interface ScoredNetwork {
  /** Sizes between which the network's changes are clipped. */
  readonly sizes: ClippedSizes;
  /** Scores between which the network's changes gain weight. */
  readonly range: ScoreRange;
  /** Factor of the network's changes. */
  readonly weight: number;
}

/**
 * Adds the average of all networks' clipped changes to a base, each weighted by its score above the least
 * score that counts. An element of which no change counts keeps its bits.
 * @param scores - scores of each network's changes
 */
export function averageByScore(
  base: Numbers,
  changes: readonly Numbers[],
  { scores, networks, lambda }: ScoredChanges,
  out: Numbers,
): void {
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    let total = 0;
    for (let k = 0; k < changes.length; k++) {
      const { sizes, range, weight } = networks[k]!;
      const share = shareOf(scores[k]![i]!, range);
      if (share === 0) continue;
      const change = changes[k]![i]!;
      const size = Math.min(Math.max(Math.abs(change), sizes.least), sizes.most);
      sum += share * weight * Math.sign(change) * size;
      total += share;
    }
    out[i] = total === 0 ? base[i]! : base[i]! + (lambda * sum) / total;
  }
}

/** Scores of the changes of all networks, and their weights. */
export interface ScoredChanges {
  /** Scores of each network's changes. */
  readonly scores: readonly Float32Array[];
  /** Sizes, scores and weight of each network. */
  readonly networks: readonly ScoredNetwork[];
  /** Factor of the average. */
  readonly lambda: number;
}

/** Maps a score to `[0, 1]`: the least score that counts to 0, and the largest to 1. */
function shareOf(score: number, { least, most }: ScoreRange): number {
  if (Number.isNaN(score)) return score;
  if (most > least) return Math.max(0, score - least) / (most - least);
  // Only the largest score counts, as in a tensor of a few elements.
  return score > 0 && score >= least ? 1 : 0;
}
