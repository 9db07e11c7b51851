import { at, createRandom } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSpace, Mixture } from "@isthmus/symmetry";
import { exponentials } from "./exponential.ts";
import { factorGradients, generatorGradients, toAlgebra } from "./generators.ts";
import type { MidpointMixer } from "./midpoint-mixer.ts";
import { adamStep, createMoments } from "./moving-adam.ts";
import { orthonormalized } from "./nearest-matrix.ts";
import { createRowMultiplier, type RowMultiplier } from "./row-products.ts";
import type { SoftMidpoint } from "./soft-midpoint.ts";
import { times } from "./square-matrices.ts";
import type { FramedPair, StreamFrame } from "./stream-frame.ts";
import type { MixedUnits } from "./unit-inputs.ts";

/** Options of {@link learnMixture}. */
export interface LearnMixtureOptions {
  readonly seed: number;
  /** Steps, each on one batch. */
  readonly steps: number;
  /** Largest step in an element of a generator; it rises for ten steps and falls as a cosine. */
  readonly learningRate: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LearnProgress) => void) | undefined;
}

/** Progress of {@link learnMixture}. */
export interface LearnProgress {
  /** Share of the steps that are done, in `[0, 1]`. */
  readonly done: number;
  readonly step: number;
  readonly steps: number;
  /** Loss half-way of the last batch, in nats. */
  readonly loss: number;
}

/** Result of {@link learnMixture}. */
export interface LearnMixtureResult {
  /** The last mixture, orthogonal to rounding where the group is. */
  readonly mixture: Mixture;
  /** What the scales beside the spaces are multiplied by, `[variables]`. */
  readonly scales: Float64Array;
  /** Steps made. */
  readonly steps: number;
  /** Where learning ended early as the loss was not finite; null if it did not. */
  readonly diverged: { readonly step: number; readonly loss: number } | null;
}

/** Measures networks half-way between A and mixed B. */
export interface HalfWay {
  readonly midpoint: SoftMidpoint;
  readonly mixer: MidpointMixer;
}

/** Steps over which the learning rate rises. */
const WARM_UP = 10;

/** Where the network between A and mixed B is measured while learning. */
const MIDDLE = 0.5;

/**
 * Learns the matrix of each space, and the scales beside, by gradients of the loss half-way between A and mixed B.
 *
 * The spaces are groups that act on the weights, so plain gradients of the weights are enough: Adam steps in
 * the algebra of the group, in the frame that moves with the matrix, whose exponential then multiplies it.
 * Learning ends early where the loss is not finite, with the mixture of the step before.
 *
 * @param pair - B permuted, not yet mixed
 * @param start - where to start, such as in closed form
 */
export async function learnMixture(
  pair: FramedPair,
  { midpoint, mixer }: HalfWay,
  start: Mixture,
  options: LearnMixtureOptions,
): Promise<LearnMixtureResult> {
  const multiplier = await createRowMultiplier(pair, midpoint.parameters);
  try {
    return await learn(
      { frame: pair.frame, midpoint, between: mixer.of(pair.b), multiplier },
      start,
      options,
    );
  } finally {
    await multiplier.release();
  }
}

/** What steps are made with. */
interface Learning {
  readonly frame: StreamFrame;
  readonly midpoint: SoftMidpoint;
  readonly between: ReturnType<MidpointMixer["of"]>;
  readonly multiplier: RowMultiplier;
}

async function learn(
  { frame, midpoint, between, multiplier }: Learning,
  start: Mixture,
  options: LearnMixtureOptions,
): Promise<LearnMixtureResult> {
  const { seed, steps, learningRate, signal, onProgress } = options;
  const { spaces } = frame.symmetries.mixing;
  const random = createRandom(seed, "learned alignment");
  const order = Int32Array.from({ length: midpoint.batches }, (_, batch) => batch);
  const moments = spaces.map(({ size }) => createMoments(size * size));
  const { variables } = frame.units.scales;
  const ofScales = createMoments(variables);
  let current: MixedUnits = { mixture: start, scales: new Float64Array(variables).fill(1) };
  let before = current;
  for (let step = 1; step <= steps; step++) {
    signal?.throwIfAborted();
    const place = (step - 1) % order.length;
    if (place === 0) random.shuffleInPlace(order);
    const { weights, network } = await between(current);
    const { loss, gradients } = await midpoint.step(weights, order[place] as number, MIDDLE);
    if (!Number.isFinite(loss)) {
      const mixture = settle(spaces, before.mixture);
      return { mixture, scales: before.scales, steps: step - 1, diverged: { step, loss } };
    }
    before = current;
    const products = await multiplier.multiply(gradients, network);
    const generators = generatorGradients(spaces, products.matrices, MIDDLE);
    const rate =
      learningRate * Math.min(1, step / WARM_UP) * (0.5 + 0.5 * Math.cos((Math.PI * (step - 1)) / steps));
    const mixture = moved(spaces, current.mixture, (index, size, group) => {
      const direction = adamStep(at(generators, index, "space"), at(moments, index, "space"), step);
      return toAlgebra(direction, size, group).map((value) => -rate * value);
    });
    const slopes = factorGradients(variables, products.factors, MIDDLE);
    const logarithms = adamStep(slopes, ofScales, step);
    const scales = current.scales.map((scale, i) => scale * Math.exp(-rate * at(logarithms, i, "variable")));
    current = { mixture, scales };
    onProgress?.({ done: step / steps, step, steps, loss });
  }
  return { ...current, mixture: settle(spaces, current.mixture), steps, diverged: null };
}

/** Multiplies the matrix of each space by the exponential of a step. */
function moved(
  spaces: readonly MixingSpace[],
  { matrices, inverses }: Mixture,
  stepOf: (index: number, size: number, group: MixingSpace["group"]) => Float64Array,
): Mixture {
  const next = spaces.map(({ size, group }, index) => {
    const step = stepOf(index, size, group);
    const { forward, back } = exponentials(step, size);
    const matrix = times(forward, at(matrices, index, "space"), size);
    if (group !== "invertible") return { matrix, inverse: matrix };
    const [undone, inverse] = [back, at(inverses, index, "space")].map((data) =>
      createMatrix(size, size, data),
    );
    const product = multiply(undone as Matrix, inverse as Matrix, { transposeLeft: true });
    return { matrix, inverse: product.data as Float64Array };
  });
  return { matrices: next.map(({ matrix }) => matrix), inverses: next.map(({ inverse }) => inverse) };
}

/** Removes what rounding has added: makes orthogonal matrices orthogonal, and inverses exact. */
function settle(spaces: readonly MixingSpace[], { matrices, inverses }: Mixture): Mixture {
  const next = spaces.map(({ size, group }, index) => {
    const matrix = at(matrices, index, "space");
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
