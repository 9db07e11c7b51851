import { at, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { Seed } from "../random/derive-key.ts";
import type { NeighborRelation } from "./accountant/mechanism.ts";
import { assertClip } from "./clip-weights.ts";
import { addGaussianNoiseInPlace } from "./gaussian-noise.ts";

/** Count of a round's updates that were within the bound. */
export interface UnclippedCount {
  /** Number of updates whose norm was at most the bound. */
  readonly unclipped: number;
  /** Number of updates of the round. */
  readonly clients: number;
  /** Expected number of updates, above 0, which is public and divides the sum. */
  readonly expectedClients: number;
}

/** Options of {@link adaptClip}. */
export interface AdaptClipOptions {
  /** Share of updates that should stay unclipped, in `[0, 1]`. */
  readonly quantile?: number | undefined;
  /** Size of the steps of the bound's logarithm, at least 0. */
  readonly learningRate?: number | undefined;
  /**
   * Standard deviation of the noise on the count, in clients; 0 for no privacy. @defaultValue 1/20 of
   * `expectedClients`
   */
  readonly countDeviation?: number | undefined;
}

const ADAPT_CLIP_DEFAULTS: { readonly quantile: number; readonly learningRate: number } = {
  quantile: 0.5,
  learningRate: 0.2,
};

/** Bound of the next round, with the share that it was adapted by. */
export interface AdaptClipResult {
  /** Bound for the next round. */
  readonly clip: number;
  /** Share of updates that were unclipped, with noise; it may be below 0 or above 1. */
  readonly fraction: number;
  /** Standard deviation of the noise that was added to the count, for the accountant. */
  readonly countDeviation: number;
}

/**
 * Moves the bound on norms towards a quantile of the clients' norms:
 * `clip * exp(-learningRate * (b - quantile))`, where `b` is the noisy share of updates that were NOT
 * clipped. If most of them were clipped, the bound grows.
 *
 * Each client counts as +1/2 or -1/2, so that one changes the sum by at most 1/2.
 * @param place - seed and round of the noise
 * @throws OutOfRangeError if a number is out of its range
 * @see Andrew et al., Differentially private learning with adaptive clipping, 2021, algorithm 1. Flower 1.42
 * counts clipped updates in the same formula, by which its bound shrinks when it should grow.
 */
export function adaptClip(
  clip: number,
  { unclipped, clients, expectedClients }: UnclippedCount,
  place: { readonly seed: Seed; readonly round: number },
  options: AdaptClipOptions = {},
): AdaptClipResult {
  const { countDeviation = expectedClients / 20, ...steps } = options;
  const { quantile, learningRate } = resolveOptions("adapt a bound on norms", ADAPT_CLIP_DEFAULTS, steps, [
    "countDeviation",
  ]);
  assertClip("adapt a bound on norms", clip);
  assertInRange("quantile", quantile, 0, 1);
  assertInRange("learningRate", learningRate, 0, Number.MAX_VALUE);
  assertInRange("countDeviation", countDeviation, 0, Number.MAX_VALUE);
  assertInRange("expectedClients", expectedClients, Number.MIN_VALUE, Number.MAX_VALUE);
  assertInRange("unclipped", unclipped, 0, clients);
  const sum = new Float64Array([unclipped - clients / 2]);
  addGaussianNoiseInPlace({ ...place, tensor: "unclipped updates" }, 0, countDeviation, sum);
  const fraction = at(sum, 0) / expectedClients + 1 / 2;
  return { clip: clip * Math.exp(-learningRate * (fraction - quantile)), fraction, countDeviation };
}

/**
 * Computes the noise multiplier for the updates that, with the noise on the count of `adaptClip`, costs as
 * much privacy as `noiseMultiplier` alone: `(z^-2 - (2 sigma_b)^-2)^(-1/2)`. The accountant is given
 * `noiseMultiplier`.
 * @param noiseMultiplier - `z`, the noise multiplier of updates and count together, at least 0
 * @param countDeviation - standard deviation of the noise on the count, in clients
 * @param relation - relation of neighbouring rounds: the count changes by 1/2 if a client is added, by 1 if
 * one is replaced
 * @throws OutOfRangeError if the count alone would cost as much or more
 * @see Andrew et al., 2021, theorem 1
 */
export function updateNoiseMultiplier(
  noiseMultiplier: number,
  countDeviation: number,
  relation: NeighborRelation = "add-or-remove-one",
): number {
  const ofCount = countNoiseMultiplier(countDeviation, relation);
  if (noiseMultiplier === 0) return 0;
  if (!(noiseMultiplier > 0 && noiseMultiplier < ofCount)) {
    const scale = relation === "add-or-remove-one" ? "twice " : "";
    throw new OutOfRangeError(
      `Cannot hide the count of unclipped updates as the noise multiplier of a round must be below ${scale}the standard ` +
        `deviation of the count: it is ${noiseMultiplier}, the deviation ${countDeviation}; raise "countDeviation"`,
    );
  }
  return (noiseMultiplier ** -2 - ofCount ** -2) ** -0.5;
}

/**
 * Computes the noise multiplier of a round, for the accountant, from the multiplier of its updates and the
 * noise on its count of unclipped updates: `(z_updates^-2 + (2 sigma_b)^-2)^(-1/2)`, the opposite of
 * `updateNoiseMultiplier`.
 */
export function roundNoiseMultiplier(
  ofUpdates: number,
  countDeviation: number,
  relation: NeighborRelation = "add-or-remove-one",
): number {
  // Without noise on the updates or on the count, an infinite term makes the result 0: no privacy.
  return (ofUpdates ** -2 + countNoiseMultiplier(countDeviation, relation) ** -2) ** -0.5;
}

function countNoiseMultiplier(countDeviation: number, relation: NeighborRelation): number {
  return relation === "add-or-remove-one" ? 2 * countDeviation : countDeviation;
}

function assertInRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new OutOfRangeError(
    `Cannot adapt a bound on norms as "${name}" must be in [${least}, ${most}]: it is ${value}`,
  );
}
