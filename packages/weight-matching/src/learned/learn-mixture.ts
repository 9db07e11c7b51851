import { at, createRandom, createTensor, entry, type Tensor } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { type MixingSpace, type Mixture, mixInPlace } from "@isthmus/symmetry";
import { meanInto, meanOf } from "../straight-through/kernels/step.ts";
import { exponential } from "./exponential.ts";
import { factorGradients, factorTable, multiplyRowsInPlace } from "./factor-rows.ts";
import { generatorGradients, toAlgebra } from "./generators.ts";
import { adamStep, createMoments } from "./moving-adam.ts";
import { orthonormalized } from "./nearest-matrix.ts";
import type { SoftMidpoint } from "./soft-midpoint.ts";
import { times } from "./square-matrices.ts";
import type { Doubles, FramedPair } from "./stream-frame.ts";

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

/** Steps over which the learning rate rises. */
const WARM_UP = 10;

/** Where the network between A and mixed B is measured while learning. */
const MIDDLE = 0.5;

/**
 * Learns the matrix of each space, and the scales beside, by gradients of the loss half-way between A and
 * mixed B.
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
  midpoint: SoftMidpoint,
  start: Mixture,
  options: LearnMixtureOptions,
): Promise<LearnMixtureResult> {
  const { frame } = pair;
  const { seed, steps, learningRate, signal, onProgress } = options;
  const { spaces } = frame.symmetries.mixing;
  const random = createRandom(seed, "learned alignment");
  const order = Int32Array.from({ length: midpoint.batches }, (_, batch) => batch);
  const moments = spaces.map(({ size }) => createMoments(size * size));
  const { scales: symmetry } = frame.units;
  const table = factorTable(symmetry);
  const ofScales = createMoments(symmetry.variables);
  const between = createMidpointWeights(pair);
  let current: MixedUnits = { mixture: start, scales: new Float64Array(symmetry.variables).fill(1) };
  let before = current;
  for (let step = 1; step <= steps; step++) {
    signal?.throwIfAborted();
    const place = (step - 1) % order.length;
    if (place === 0) random.shuffleInPlace(order);
    const { weights, network } = between(current);
    const { loss, gradients } = await midpoint.step(weights, order[place] as number, MIDDLE);
    if (!Number.isFinite(loss)) {
      const mixture = settle(spaces, before.mixture);
      return { mixture, scales: before.scales, steps: step - 1, diverged: { step, loss } };
    }
    before = current;
    const generators = generatorGradients(spaces, frame.occurrences, {
      ...{ gradients, network, factor: MIDDLE },
    });
    const rate =
      learningRate * Math.min(1, step / WARM_UP) * (0.5 + 0.5 * Math.cos((Math.PI * (step - 1)) / steps));
    const mixture = moved(spaces, current.mixture, (index, size, group) => {
      const direction = adamStep(at(generators, index, "space"), at(moments, index, "space"), step);
      return toAlgebra(direction, size, group).map((value) => -rate * value);
    });
    const slopes = factorGradients(table, symmetry.variables, { gradients, network, scale: MIDDLE });
    const logarithms = adamStep(slopes, ofScales, step);
    const scales = current.scales.map((scale, i) => scale * Math.exp(-rate * at(logarithms, i, "variable")));
    current = { mixture, scales };
    onProgress?.({ done: step / steps, step, steps, loss });
  }
  return { ...current, mixture: settle(spaces, current.mixture), steps, diverged: null };
}

/** What a network is multiplied and mixed by. */
export interface MixedUnits {
  readonly mixture: Mixture;
  /** A factor for each scale variable. */
  readonly scales: Float64Array;
}

/** Mixed B, and the network half-way between it and A. */
export interface MidpointWeights {
  /** Half-way, to be fed; overwritten by the next call. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Mixed B. */
  readonly network: ReadonlyMap<string, Float32Array>;
}

/** Creates a function that mixes B and averages it with A, both in f32. */
export function createMidpointWeights({
  architecture,
  frame,
  a,
  b,
}: FramedPair): (units: MixedUnits) => MidpointWeights {
  const { occurrences } = frame;
  const table = factorTable(frame.units.scales);
  const changing = new Set([...occurrences.keys(), ...table.keys()]);
  const single = (values: Doubles) =>
    new Map([...values].map(([name, data]) => [name, Float32Array.from(data)]));
  const [one, two] = [single(a), single(b)];
  const fixed = new Map<string, Tensor>();
  const averages = new Map<string, Float32Array>();
  for (const [name, { shape }] of architecture.graph.weights) {
    const average = meanOf(entry(one, name, "weight"), entry(two, name, "weight"));
    averages.set(name, average);
    fixed.set(name, createTensor("f32", shape, average));
  }
  const network = new Map(two);
  for (const name of changing) network.set(name, entry(two, name, "weight").slice());
  return ({ mixture, scales }) => {
    for (const name of changing) {
      const values = entry(network, name, "weight");
      values.set(entry(two, name, "weight"));
      mixInPlace(values, occurrences.get(name) ?? [], mixture);
      multiplyRowsInPlace(values, table.get(name) ?? [], scales);
      meanInto(entry(one, name, "weight"), values, entry(averages, name, "weight"));
    }
    return { weights: fixed, network };
  };
}

/** Multiplies the matrix of each space by the exponential of a step. */
function moved(
  spaces: readonly MixingSpace[],
  { matrices, inverses }: Mixture,
  stepOf: (index: number, size: number, group: MixingSpace["group"]) => Float64Array,
): Mixture {
  const next = spaces.map(({ size, group }, index) => {
    const step = stepOf(index, size, group);
    const matrix = times(exponential(step, size), at(matrices, index, "space"), size);
    if (group !== "invertible") return { matrix, inverse: matrix };
    const back = step.map((_, place) => -(step[(place % size) * size + Math.floor(place / size)] as number));
    return { matrix, inverse: times(exponential(back, size), at(inverses, index, "space"), size) };
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
