import { at, createRandom, createTensor, entry } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSpace, Mixture } from "@isthmus/symmetry";
import { complexOf, inverseConjugate, isComplex, matrixOf, unitOf } from "../matrices/complex-numbers.ts";
import { orthonormalized } from "../matrices/nearest-matrix.ts";
import type { FramedNetworks, StreamFrame } from "../stream-frame.ts";
import { equalShares, type LEARNED_PLACES, sampledShares } from "./blend.ts";
import type { Learning } from "./learning.ts";
import type { MidpointMixer, Mixing } from "./midpoint-mixer.ts";
import type { LearnedRule } from "./orthogonal-step.ts";
import { createRowMultiplier, type RowMultiplier } from "./row-products.ts";
import type { SoftMidpoint } from "./soft-midpoint.ts";
import { stepSpaces } from "./step-spaces.ts";
import type { MixedUnits } from "./unit-inputs.ts";
import { fillScoresInPlace, sumUnitProducts } from "./unit-scores.ts";

/** Options of {@link learnMixture}. */
export interface LearnMixtureOptions {
  /** Seed of the order of batches, and of the places of steps if they are sampled. */
  readonly seed: number;
  /** Steps, each on one batch. */
  readonly steps: number;
  /** Largest step in an element of a generator; it rises for ten steps and falls as a cosine. */
  readonly learningRate: number;
  /** Place between the networks at which steps are made. */
  readonly at: (typeof LEARNED_PLACES)[number];
  /** Rule by which steps in matrices are made of gradients. */
  readonly rule: LearnedRule;
  /** Steps after which the state is handed over. */
  readonly saveEvery: number;
  /**
   * Signal that stops learning, checked before each step; the state is handed over first.
   * @defaultValue never stopped
   */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step with its number and loss. @defaultValue nothing is called */
  readonly onProgress?: ((progress: LearnProgress) => void) | undefined;
  /**
   * Called with the state, also after the last step and when the signal is aborted; the next step changes it.
   */
  readonly onSave?: ((learning: readonly Learning[]) => Promise<void>) | undefined;
}

/** Progress of {@link learnMixture}. */
export interface LearnProgress {
  /** Share of the steps that are done, in `[0, 1]`. */
  readonly done: number;
  /** Number of the step just made, from 1. */
  readonly step: number;
  /** Number of steps that learning makes in all. */
  readonly steps: number;
  /** Loss of the last batch, in nats, at the place of the step. */
  readonly loss: number;
}

/** Result of {@link learnMixture}. */
export interface LearnMixtureResult {
  /**
   * Units of each network that moves, in order, with the last mixture, which is orthogonal to rounding if
   * the group is orthogonal.
   */
  readonly units: readonly MixedUnits[];
  /** Steps made. */
  readonly steps: number;
  /** Step and loss at which learning ended early as the loss was not finite; null if it did not. */
  readonly diverged: { readonly step: number; readonly loss: number } | null;
}

/** Tools that measure means of networks. */
export interface HalfWay {
  /** Loss of a mean of networks against the mean of their predictions. */
  readonly midpoint: SoftMidpoint;
  /** Mixer that moves networks and averages all. */
  readonly mixer: MidpointMixer;
  /** Indices of the networks that move, ascending; the reference has index 0. */
  readonly movers: readonly number[];
}

/** Steps over which the learning rate rises. */
const WARM_UP = 10;

/**
 * Learns for each network that moves the matrix of each space, and the scales beside, by gradients of the
 * loss of the mean of all networks.
 *
 * The mean of two networks lies half-way between both. One gradient serves all: a network with share `s`
 * changes the mean by `s` times as much as itself.
 *
 * The spaces are groups that act on the weights, so plain gradients of the weights are enough: Adam steps in
 * the algebra of the group, in the frame that moves with the matrix, whose exponential then multiplies it.
 * Learning ends early if the loss is not finite, with the mixture of the step before.
 *
 * @param framed - networks placed, not yet mixed
 * @param from - state of each network that moves, to start from, such as the closed form, or to continue
 */
export async function learnMixture(
  framed: FramedNetworks,
  { midpoint, mixer, movers }: HalfWay,
  from: readonly Learning[],
  options: LearnMixtureOptions,
): Promise<LearnMixtureResult> {
  const multiplier = await createRowMultiplier(framed, midpoint.parameters);
  try {
    const between = mixer.of(framed.networks);
    const tools = {
      frame: framed.frame,
      movers,
      count: framed.networks.length,
      midpoint,
      between,
      multiplier,
    };
    if (stepOf(from) === 0) await scoreByWeights(framed, tools, from);
    return await learn(tools, from, options);
  } finally {
    await multiplier.release();
  }
}

/** Tools that steps are made with. */
interface Tools {
  readonly frame: StreamFrame;
  readonly movers: readonly number[];
  /** Number of networks, the ones that stay included. */
  readonly count: number;
  readonly midpoint: SoftMidpoint;
  readonly between: Mixing;
  readonly multiplier: RowMultiplier;
}

/** Returns the number of steps made, which all networks make together. */
const stepOf = (learned: readonly Learning[]): number => at(learned, 0, "network").step;

async function learn(
  { frame, movers, count, midpoint, between, multiplier }: Tools,
  from: readonly Learning[],
  { seed, steps, learningRate, at: place, rule, saveEvery, signal, onProgress, onSave }: LearnMixtureOptions,
): Promise<LearnMixtureResult> {
  const { spaces } = frame.symmetries.mixing;
  const batchOf = shuffledBatches(midpoint.batches, seed);
  const settled = (units: MixedUnits): MixedUnits => ({
    ...units,
    mixture: settleMixture(spaces, units.mixture),
  });
  let learning = from;
  try {
    for (let step = stepOf(from) + 1; step <= steps; step++) {
      signal?.throwIfAborted();
      const shares = place === "sampled" ? sampledShares(count, seed, step) : equalShares(count);
      const { weights, networks } = await between(
        learning.map(({ current }) => current),
        shares,
      );
      const { loss, gradients } = await midpoint.step(weights, batchOf(step - 1), shares);
      if (!Number.isFinite(loss)) {
        const units = learning.map(({ before }) => settled(before));
        return { units, steps: step - 1, diverged: { step, loss } };
      }
      const rate = rateAt(step, { steps, learningRate });
      const next: Learning[] = [];
      for (const [i, mover] of movers.entries()) {
        const products = await multiplier.multiply(gradients, at(networks, i, "network"));
        const t = at(shares, mover, "share");
        next.push(stepSpaces(frame, at(learning, i, "network"), products, { t, rate, rule }));
      }
      learning = next;
      onProgress?.({ done: step / steps, step, steps, loss });
      if (step % saveEvery === 0 || step === steps) await onSave?.(learning);
    }
  } catch (error) {
    if (signal?.aborted) await onSave?.(learning);
    throw error;
  }
  return { units: learning.map(({ current }) => settled(current)), steps, diverged: null };
}

/** Sets the first scores of movable units: how well their weights fit each place. */
async function scoreByWeights(
  { frame: { movable }, networks: [reference] }: FramedNetworks,
  { between, count, multiplier }: Pick<Tools, "between" | "count" | "multiplier">,
  learned: readonly Learning[],
): Promise<void> {
  if (movable.length === 0 || reference === undefined) return;
  const { networks } = await between(
    learned.map(({ current }) => current),
    equalShares(count),
  );
  const sizes = movable.map(({ symmetry }) => symmetry.size);
  for (const [i, { scores }] of learned.entries()) {
    const network = at(networks, i, "network");
    const ofA = new Map(
      [...network].map(([name, { shape }]) => [
        name,
        createTensor("f32", shape, Float32Array.from(entry(reference, name, "weight"))),
      ]),
    );
    const sums: Float64Array[][] = [];
    for (const [left, right] of [
      [ofA, network],
      [ofA, ofA],
      [network, network],
    ] as const)
      sums.push(sumUnitProducts((await multiplier.multiply(left, right)).units, sizes));
    scores.forEach((ofUnits, index) => {
      const products = sums.map((list) => at(list, index, "units"));
      fillScoresInPlace(ofUnits, products as [Float64Array, Float64Array, Float64Array]);
    });
  }
}

/** Creates a function that says which batch a step, counted from 0, is made on: each once, then all anew. */
function shuffledBatches(batches: number, seed: number): (step: number) => number {
  const random = createRandom(seed, "learned alignment");
  const order = Int32Array.from({ length: batches }, (_, batch) => batch);
  let shuffles = 0;
  return (step) => {
    for (; shuffles * batches <= step; shuffles++) random.shuffleInPlace(order);
    return at(order, step % batches, "batch");
  };
}

/** Returns the largest step in an element of a generator, at a step of learning. */
function rateAt(
  step: number,
  { steps, learningRate }: Pick<LearnMixtureOptions, "steps" | "learningRate">,
): number {
  return learningRate * Math.min(1, step / WARM_UP) * (0.5 + 0.5 * Math.cos((Math.PI * (step - 1)) / steps));
}

/** Removes rounding errors: makes orthogonal matrices orthogonal, and inverses exact. */
export function settleMixture(spaces: readonly MixingSpace[], { matrices, inverses }: Mixture): Mixture {
  const next = spaces.map(({ size, group }, index) => {
    const matrix = at(matrices, index, "space");
    if (isComplex(group)) {
      const number = group === "complex" ? complexOf(matrix) : unitOf(complexOf(matrix));
      return { matrix: matrixOf(number), inverse: matrixOf(inverseConjugate(number)) };
    }
    if (group === "invertible") {
      return { matrix, inverse: refinedInverse(matrix, at(inverses, index, "space"), size) };
    }
    const clean = orthonormalized(matrix, size);
    return { matrix: clean, inverse: clean };
  });
  return { matrices: next.map(({ matrix }) => matrix), inverses: next.map(({ inverse }) => inverse) };
}

/** Improves an inverse, transposed, by Newton's steps `Y (2 - S^T Y)`. */
function refinedInverse(matrix: Float64Array, inverse: Float64Array, size: number): Float64Array {
  let current = createMatrix(size, size, inverse);
  const square = createMatrix(size, size, matrix);
  for (let step = 0; step < 2; step++) {
    const product = multiply(square, current, { transposeLeft: true });
    const rest = product.data.map((value) => -value) as Float64Array;
    for (let i = 0; i < size; i++) rest[i * size + i] = (rest[i * size + i] as number) + 2;
    current = multiply(current, createMatrix(size, size, rest));
  }
  return current.data as Float64Array;
}
