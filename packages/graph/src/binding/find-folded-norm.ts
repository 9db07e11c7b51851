import { at, entry } from "@isthmus/core";
import { rearrange, reshapeTo, squeezed, transpositions } from "./rearrange.ts";
import { roundingOf } from "./same-values.ts";
import type { CarriedValues, TensorPool } from "./tensor-pool.ts";
import type { FoldedNorm, Rearrangement, TensorSource } from "./weight-source.ts";

/** A layer whose kernel and bias an exporter multiplied by the batch norm after it. */
export interface FoldedLayer {
  /** Kernel in the graph's file, with the factors of the norm in it. */
  readonly kernel: CarriedValues;
  /** Bias, `[outputs]`. */
  readonly bias: CarriedValues;
  /** Number of outputs of the layer. */
  readonly outputs: number;
  /** Returns the output that an element of the kernel belongs to, by its row-major index. */
  readonly outputOf: (place: number) => number;
}

/** Source of a folded layer, in the names of a checkpoint. */
export interface UnfoldedLayer {
  /** Tensor of the kernel without the norm, rearranged to the shape in the graph. */
  readonly kernel: TensorSource;
  /** Name of the bias of the layer itself; undefined if it has none. */
  readonly bias: string | undefined;
  /** Batch norm that was folded into the layer. */
  readonly norm: FoldedNorm;
}

/** Largest relative difference of a folded value: exporters round in f32, in an unknown order. */
const TOLERANCE = 1e-4;

/**
 * Factor of the rounding error of a checkpoint that was saved in fewer bits, as a folded number is computed
 * from several numbers.
 */
const ROUNDINGS = 8;

/** Numbers that frameworks add to variances. */
const EPSILONS = [1e-5, 1e-3, 1e-6, 1e-4, 1e-2, 1e-8, 1e-12] as const;

/**
 * Finds all layers and batch norms that a folded layer may come from, by their values: the kernel of each
 * output is a multiple of the kernel in the checkpoint, the multiple is `scale / sqrt(variance + epsilon)` of
 * one norm, and this norm explains the bias, too.
 */
export async function findFoldedNorm(pool: TensorPool, folded: FoldedLayer): Promise<UnfoldedLayer[]> {
  const norms = await readNorms(pool, folded.outputs);
  const search = (tensor: string): FoldSearch => {
    const { dtype } = entry(pool.checkpoint.tensors, tensor, "tensor");
    return { folded, tolerance: Math.max(TOLERANCE, ROUNDINGS * roundingOf(dtype)) };
  };
  const layers: UnfoldedLayer[] = [];
  for (const tensor of pool.ofSize(folded.kernel.values.length)) {
    for (const steps of kernelSteps(pool.shapeOf(tensor), folded.kernel.shape)) {
      const original = rearrange(
        { values: await pool.read(tensor), shape: pool.shapeOf(tensor) },
        steps,
      ).values;
      const factors = findFactors(search(tensor), original);
      if (factors === undefined) continue;
      const kernel: TensorSource = { kind: "tensor", tensor, steps };
      const biases = [undefined, await readBias(pool, tensor, folded.outputs)];
      layers.push(...norms.flatMap((norm) => unfold({ kernel, factors, biases, norm }, search(tensor))));
    }
  }
  const fresh = layers.filter(
    ({ kernel, norm }) => !pool.isTaken(kernel.tensor) && !pool.isTaken(norm.variance),
  );
  return fresh.length > 0 ? fresh : layers;
}

/**
 * Lists the ways in which a tensor may be the kernel: unchanged; matrices, and tensors of
 * another shape, with axes exchanged.
 */
function kernelSteps(shape: readonly number[], target: readonly number[]): Rearrangement[][] {
  const isPlain = squeezed(shape).join() === squeezed(target).join();
  const turned = isPlain && squeezed(shape).length > 2 ? [] : transpositions(shape, target);
  return [...(isPlain ? [reshapeTo(shape, target)] : []), ...turned];
}

/**
 * Finds the factor that the kernel of each output was multiplied by, `[outputs]`: NaN if the kernel is zero
 * and the factor therefore unknown.
 * @param original - the kernel in the checkpoint, rearranged
 * @returns undefined if the folded kernel is not a multiple
 */
function findFactors(
  { folded: { kernel, outputs, outputOf }, tolerance }: FoldSearch,
  original: Float32Array,
): Float64Array | undefined {
  const folded = kernel.values;
  if (!mayBeMultiples(folded, original, outputOf, tolerance)) return undefined;
  const [products, squares, largest] = [0, 1, 2].map(() => new Float64Array(outputs)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < folded.length; i++) {
    const o = outputOf(i);
    const [value, before] = [folded[i] as number, original[i] as number];
    products[o] = (products[o] as number) + value * before;
    squares[o] = (squares[o] as number) + before ** 2;
    largest[o] = Math.max(largest[o] as number, Math.abs(value));
  }
  const factors = products.map((product, o) => product / (squares[o] as number));
  for (let i = 0; i < folded.length; i++) {
    const o = outputOf(i);
    const multiple = squares[o] === 0 ? 0 : (factors[o] as number) * (original[i] as number);
    if (!(Math.abs((folded[i] as number) - multiple) <= tolerance * (largest[o] as number))) return undefined;
  }
  return factors.some((factor) => !Number.isNaN(factor)) ? factors : undefined;
}

/** Number of elements that are compared before all others. */
const PROBED = 64;

/**
 * Checks by the first numbers of the first output whether a kernel may be a multiple of another, which
 * usually rules this out quickly.
 */
function mayBeMultiples(
  folded: Float32Array,
  original: Float32Array,
  outputOf: (place: number) => number,
  tolerance: number,
): boolean {
  let places = [...folded.subarray(0, PROBED).keys()].filter((place) => outputOf(place) === outputOf(0));
  places = places.filter((place) => Math.abs(original[place] as number) > 1e-6);
  const factors = places.map((place) => (folded[place] as number) / (original[place] as number));
  const [largest, smallest] = [Math.max(...factors), Math.min(...factors)];
  // Small numbers of a kernel may be off by the rounding of large ones: a hundred times the
  // tolerance of the whole kernel.
  return (
    factors.length < 2 ||
    largest - smallest <= 100 * tolerance * Math.max(Math.abs(largest), Math.abs(smallest))
  );
}

/** Vectors of a norm. */
interface NormVectors {
  readonly names: Omit<FoldedNorm, "epsilon">;
  readonly scale: Float32Array | undefined;
  readonly offset: Float32Array | undefined;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Names of the vectors of a norm, by framework: PyTorch, Keras, JAX. */
const VECTOR_NAMES = [
  { scale: "weight", offset: "bias", mean: "running_mean", variance: "running_var" },
  { scale: "gamma", offset: "beta", mean: "moving_mean", variance: "moving_variance" },
  { scale: "scale", offset: "bias", mean: "mean", variance: "var" },
] as const;

/** Reads the norms of a number of channels, which are recognised by the names of their vectors. */
async function readNorms(pool: TensorPool, channels: number): Promise<NormVectors[]> {
  const vectors = new Set(pool.ofSize(channels).filter((name) => pool.shapeOf(name).length === 1));
  const norms: NormVectors[] = [];
  for (const variance of vectors) {
    for (const parts of VECTOR_NAMES) {
      const names = namesOfNorm(vectors, variance, parts);
      if (names !== undefined) norms.push(await readNorm(pool, names));
    }
  }
  return norms;
}

/**
 * Returns the names of the vectors of the norm that has a vector as its variance; undefined if there is no
 * such norm.
 */
function namesOfNorm(
  vectors: ReadonlySet<string>,
  variance: string,
  parts: (typeof VECTOR_NAMES)[number],
): NormVectors["names"] | undefined {
  const layer = variance.slice(0, -parts.variance.length);
  const isVariance = variance.endsWith(parts.variance) && (layer === "" || /[./]$/.test(layer));
  if (!isVariance || !vectors.has(layer + parts.mean)) return undefined;
  return {
    ...(vectors.has(layer + parts.scale) ? { scale: layer + parts.scale } : {}),
    ...(vectors.has(layer + parts.offset) ? { offset: layer + parts.offset } : {}),
    mean: layer + parts.mean,
    variance,
  };
}

async function readNorm(pool: TensorPool, names: NormVectors["names"]): Promise<NormVectors> {
  const read = async (name: string | undefined) => (name === undefined ? undefined : pool.readVector(name));
  return {
    names,
    scale: await read(names.scale),
    offset: await read(names.offset),
    mean: await pool.readVector(names.mean),
    variance: await pool.readVector(names.variance),
  };
}

/** Reads the bias whose name corresponds to the name of a kernel. */
async function readBias(
  pool: TensorPool,
  kernel: string,
  outputs: number,
): Promise<{ readonly name: string; readonly values: Float32Array } | undefined> {
  const name = kernel.replace(/(weight|kernel)$/, "bias");
  const info = pool.checkpoint.tensors.get(name);
  if (name === kernel || info?.shape.join() !== String(outputs)) return undefined;
  return { name, values: await pool.readVector(name) };
}

/** A folded layer, and the precision with which it is compared with tensors. */
interface FoldSearch {
  readonly folded: FoldedLayer;
  /** Largest relative difference. */
  readonly tolerance: number;
}

/** A layer and a norm that a folded layer may come from. */
interface Hypothesis {
  readonly kernel: TensorSource;
  readonly factors: Float64Array;
  readonly biases: ReadonlyArray<{ readonly name: string; readonly values: Float32Array } | undefined>;
  readonly norm: NormVectors;
}

/** Returns the layer with the norm after it, if the norm explains factors and bias; else nothing. */
function unfold({ kernel, factors, biases, norm }: Hypothesis, search: FoldSearch): UnfoldedLayer[] {
  const epsilon = findEpsilon(factors, norm, search);
  if (epsilon === undefined) return [];
  return biases
    .flatMap((bias) =>
      explainsBias({ norm, epsilon, bias: bias?.values }, search)
        ? [{ kernel, bias: bias?.name, norm: { ...norm.names, epsilon } }]
        : [],
    )
    .slice(0, 1);
}

/**
 * Finds the usual epsilon with which the norm gives the factors most precisely; undefined if none gives them
 * within the tolerance.
 */
function findEpsilon(
  factors: Float64Array,
  norm: NormVectors,
  { tolerance }: FoldSearch,
): number | undefined {
  const errors = EPSILONS.map((epsilon) => ({ epsilon, error: factorError(factors, norm, epsilon) }));
  const [best] = errors.toSorted((a, b) => a.error - b.error);
  return best !== undefined && best.error <= tolerance ? best.epsilon : undefined;
}

/** Returns an element of a vector that a layer may lack; `absent` if the layer lacks it. */
function elementOr(vector: Float32Array | undefined, index: number, absent: number): number {
  return vector === undefined ? absent : at(vector, index, "channel");
}

/** Computes the largest relative difference between the factors and the factors of a norm. */
function factorError(factors: Float64Array, { scale, variance }: NormVectors, epsilon: number): number {
  let largest = 0;
  for (const [o, factor] of factors.entries()) {
    if (Number.isNaN(factor)) continue;
    const expected = elementOr(scale, o, 1) / Math.sqrt(at(variance, o, "channel") + epsilon);
    const error = expected === factor ? 0 : Math.abs(expected - factor) / Math.abs(expected);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

/** Checks whether the folded bias is the bias of the layer passed through the norm. */
function explainsBias(
  {
    norm,
    epsilon,
    bias,
  }: { readonly norm: NormVectors; readonly epsilon: number; readonly bias: Float32Array | undefined },
  { folded: { bias: folded, outputs }, tolerance }: FoldSearch,
): boolean {
  for (let o = 0; o < outputs; o++) {
    const factor = elementOr(norm.scale, o, 1) / Math.sqrt(at(norm.variance, o, "channel") + epsilon);
    const centred = (elementOr(bias, o, 0) - at(norm.mean, o, "channel")) * factor;
    const offset = elementOr(norm.offset, o, 0);
    const size = Math.abs(centred) + Math.abs(offset);
    if (!(Math.abs(centred + offset - at(folded.values, o)) <= tolerance * size)) return false;
  }
  return true;
}
