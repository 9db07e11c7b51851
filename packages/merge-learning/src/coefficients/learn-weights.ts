import { at, DivergenceError } from "@isthmus/core";
import { LEAST_VOTE } from "./affine-methods.ts";
import type { CoefficientGroup } from "./coefficient-groups.ts";
import { derivativesInPlace, effectiveInto } from "./effective-weights.ts";
import { projectInPlace, type WeightLimits } from "./solve-quadratic.ts";
import type { TuningStore, TuningTensors } from "./tuning-state.ts";

/** Decays of Adam's running means, and the addend that keeps divisors from 0: the paper's. */
const DECAY = 0.9;
const SQUARE_DECAY = 0.999;
const EPSILON = 1e-8;

/**
 * Function that computes the objective at factors of directions, and writes its derivatives by the factors.
 */
export type Differentiate = (
  factors: Float64Array,
  step: number,
  derivatives: Float64Array,
) => Promise<number>;

/** Options of {@link learnWeights}: steps of Adam, limits of weights, the state file, and progress. */
export interface LearnWeightsOptions {
  /** Number of steps. */
  readonly steps: number;
  /** Learning rate of Adam. */
  readonly learningRate: number;
  /** Limits of the weights of each group. */
  readonly limits: WeightLimits;
  /** File of the state. */
  readonly store: TuningStore;
  /** Signal that stops between two steps; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called after each step. */
  readonly follow: (step: number, loss: number) => void;
}

/**
 * Learns weights by Adam. Weights are moved into their limits after each step.
 * @param arrays - weights and running means, which are overwritten
 * @returns the objective of each step, before it
 * @throws DivergenceError if the objective is no longer finite
 */
export async function learnWeights(
  groups: readonly CoefficientGroup[],
  arrays: TuningTensors,
  differentiate: Differentiate,
  { steps, learningRate, limits, store, signal, follow }: LearnWeightsOptions,
): Promise<readonly number[]> {
  const { weights } = arrays;
  const losses = [...store.start.losses];
  const factors = new Float64Array(weights.length);
  const derivatives = new Float64Array(weights.length);
  try {
    for (let step = store.start.step; step < steps; step++) {
      signal?.throwIfAborted();
      effectiveInto(groups, weights, factors);
      derivatives.fill(0);
      const loss = await differentiate(factors, step, derivatives);
      derivativesInPlace(groups, { weights, factors }, derivatives);
      if (!Number.isFinite(loss) || !derivatives.every(Number.isFinite)) {
        throw new DivergenceError(
          `Cannot learn the weights of the merge further as the objective must be finite: it is ${loss} at step ${step}; take a smaller learning rate, or --bounds`,
          { step, loss },
        );
      }
      adamInPlace(arrays, derivatives, { step: step + 1, learningRate });
      limitInPlace(groups, weights, limits);
      losses.push(loss);
      follow(step + 1, loss);
      await store.keep({ step: step + 1, losses }, step + 1 === steps);
    }
  } catch (error) {
    if (losses.length > store.start.step && signal?.aborted)
      await store.keep({ step: losses.length, losses }, true);
    throw error;
  }
  return losses;
}

/** Returns the limits of the weights of a group: positive ones, if the networks elect signs. */
export function limitsOf(
  { electsSigns }: Pick<CoefficientGroup, "electsSigns">,
  { bounds, sum }: WeightLimits,
): WeightLimits {
  if (!electsSigns) return { bounds, sum };
  const [least, most] = bounds ?? [LEAST_VOTE, Number.POSITIVE_INFINITY];
  return { bounds: [Math.max(least, LEAST_VOTE), most], sum };
}

/** Moves the weights of every group into their limits. */
export function limitInPlace(
  groups: readonly CoefficientGroup[],
  weights: Float64Array,
  limits: WeightLimits,
): void {
  const models = weights.length / groups.length;
  for (const [g, group] of groups.entries())
    projectInPlace(weights.subarray(g * models, (g + 1) * models), limitsOf(group, limits));
}

/** Makes a step of Adam. @see Kingma and Ba, Adam (2015), algorithm 1 */
function adamInPlace(
  { weights, mean, square }: TuningTensors,
  derivatives: Float64Array,
  { step, learningRate }: { readonly step: number; readonly learningRate: number },
): void {
  const forMean = 1 - DECAY ** step;
  const forSquare = 1 - SQUARE_DECAY ** step;
  for (let i = 0; i < weights.length; i++) {
    const slope = at(derivatives, i);
    mean[i] = DECAY * at(mean, i) + (1 - DECAY) * slope;
    square[i] = SQUARE_DECAY * at(square, i) + (1 - SQUARE_DECAY) * slope * slope;
    const size = Math.sqrt(at(square, i) / forSquare) + EPSILON;
    weights[i] = at(weights, i) - (learningRate * at(mean, i)) / forMean / size;
  }
}
