import {
  assertWholeOptions,
  at,
  type Checkpoint,
  entry,
  OutOfRangeError,
  resolveOptions,
  sizeOf,
  sumOf,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { createMatrix, plainProducts } from "@isthmus/linear-algebra";
import type { ClosedForm, OperatorTensor } from "../linear-operator.ts";
import { exactOperator, openLoss } from "../operators/open-operator.ts";
import {
  CURVATURE_OPERATOR_DEFAULTS,
  type CurvatureOperator,
  type CurvatureOperatorOptions,
} from "../operators/operator-options.ts";
import { factorName, SHARINGS, type Sharing } from "./factor-graphs.ts";
import { findKroneckerLayers, type KroneckerLayer } from "./find-layers.ts";
import { type BlockPlace, factorBlock, type KroneckerBlock, spectralBlock } from "./kronecker-block.ts";
import { type MeasuredFactors, measureFactors } from "./measure-factors.ts";
import { FISHERS, type Fisher } from "./output-columns.ts";

/** Options of {@link kfac} and {@link ekfac}. */
export interface KroneckerOptions extends CurvatureOperatorOptions {
  /**
   * Kind of Fisher information: `type-2`, exactly, by one pass for each number of an example's output; `mc`,
   * by random signs of them; `empirical`, for the labels of the data. @defaultValue "type-2"
   */
  readonly fisher?: Fisher;
  /** Convention for layers that use their weight at several places. @defaultValue "expand" */
  readonly sharing?: Sharing;
  /** Number of random sums for each example, for `mc`. @defaultValue 1 */
  readonly labelSamples?: number;
  /** Seed of the random signs. @defaultValue 0 */
  readonly seed?: number;
}

/** Defaults of {@link kfac} and {@link ekfac}. */
const KRONECKER_DEFAULTS: Required<KroneckerOptions> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  fisher: "type-2",
  sharing: "expand",
  labelSamples: 1,
  seed: 0,
};

/** Operator whose eigenvalues, inverse and norms are known in closed form. */
export type KroneckerOperator = CurvatureOperator & { readonly closedForm: ClosedForm };

/**
 * Creates the Kronecker-factored approximation of a network's Fisher information (KFAC): for the weight of
 * every linear layer and convolution the mean of products of its inputs, times the mean of products of the
 * gradients by its outputs; for every bias the latter alone. Blocks of different tensors are 0.
 *
 * By default it covers all parameters of such layers; others, as of norms and embeddings, are left out.
 * Release it once it is not needed any more.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if a named parameter belongs to no such layer, the graph computes the loss itself,
 *   or an operator has no gradient rule
 * @see Martens and Grosse, 2015; Grosse and Martens, 2016; Eschenhagen et al., 2023, for `expand` and
 *   `reduce`
 */
export async function kfac(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: KroneckerOptions = {},
): Promise<KroneckerOperator> {
  return openKronecker("kfac", { ...architecture, network, data }, options);
}

/**
 * Creates the approximation of {@link kfac} with other eigenvalues for the same eigenvectors (EKFAC): the
 * mean squares of the gradients of examples along them, which are the best for the distance to the Fisher
 * information of a tensor.
 * @throws MismatchError, InputError, OutOfRangeError and UnsupportedError as {@link kfac} does
 * @see George et al., Fast approximate natural gradient descent in a Kronecker-factored eigenbasis, 2018
 */
export async function ekfac(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: KroneckerOptions = {},
): Promise<KroneckerOperator> {
  return openKronecker("ekfac", { ...architecture, network, data }, options);
}

async function openKronecker(
  kind: "kfac" | "ekfac",
  measured: Architecture & { readonly network: Checkpoint; readonly data: DataSet },
  options: KroneckerOptions,
): Promise<KroneckerOperator> {
  const attempt = `compute ${kind.toUpperCase()}`;
  const resolved = resolveOptions(attempt, KRONECKER_DEFAULTS, options);
  assertWholeOptions(attempt, resolved, { labelSamples: 1, seed: 0, examples: 0, batchSize: 1 });
  const { fisher, sharing, labelSamples: samples, seed, ...shared } = resolved;
  for (const [name, value, known] of [
    ["fisher", fisher, FISHERS],
    ["sharing", sharing, SHARINGS],
  ] as const) {
    if ((known as readonly string[]).includes(value)) continue;
    throw new OutOfRangeError(
      `Cannot ${attempt} as "${name}" must be one of ${known.join(", ")}: it is ${value}`,
    );
  }
  const layers = findKroneckerLayers(attempt, measured.graph, shared.parameters);
  const names = layers.flatMap(({ weight, bias }) => [weight ?? [], bias ?? []].flat());
  const opened = await openLoss(attempt, measured, { ...shared, parameters: names }, undefined);
  try {
    const { examples, layout, products = plainProducts } = opened;
    const settings = {
      ...shared,
      attempt,
      fisher,
      sharing,
      samples,
      seed,
      examples,
      corrects: kind === "ekfac",
    };
    const factors = await measureFactors(measured, layers, settings);
    const blocks = layout.map((tensor) => blockOf(tensor, layers, factors, products));
    return { ...exactOperator(kind, opened), ...operatorOf(blocks) };
  } catch (error) {
    await opened.release();
    throw error;
  }
}

/** Makes the block of a tensor: of a weight from both factors, of a bias from one. */
function blockOf(
  { name, shape, offset }: OperatorTensor,
  layers: readonly KroneckerLayer[],
  { factors, eigen, corrections }: MeasuredFactors,
  products: BlockPlace["products"],
): KroneckerBlock {
  const index = layers.findIndex(({ weight, bias }) => weight === name || bias === name);
  const { output, isFirst, weight } = at(layers, index, "layer");
  const [outputs, inputs] = [factorName.outputs(output), factorName.inputs(output)];
  const isBias = weight !== name;
  const left = isFirst && !isBias ? inputs : outputs;
  const right = isFirst ? outputs : inputs;
  const { rows } = entry(factors, left, "factor");
  const columns = sizeOf(shape) / rows;
  const place = { offset, rows, columns, products };
  const one = createMatrix(1, 1, Float64Array.of(1));
  if (eigen.size === 0) {
    return factorBlock(place, entry(factors, left, "factor"), isBias ? one : entry(factors, right, "factor"));
  }
  const vectors = {
    left: entry(eigen, left, "factor").vectors,
    right: isBias ? one : entry(eigen, right, "factor").vectors,
  };
  const values = entry(corrections, isBias ? factorName.bias(output) : inputs, "eigenvalues");
  if (!isFirst || isBias) return spectralBlock(place, vectors, values);
  const transposed = values.map((_, i) =>
    at(values, (i % columns) * rows + Math.floor(i / columns), "eigenvalue"),
  );
  return spectralBlock(place, vectors, transposed);
}

/** Makes the products and the closed form of a matrix of diagonal blocks. */
function operatorOf(blocks: readonly KroneckerBlock[]): Pick<KroneckerOperator, "apply" | "closedForm"> {
  const visit = async (
    vector: Float64Array,
    out: Float64Array,
    product: (block: KroneckerBlock, part: Float64Array) => Promise<Float64Array>,
  ): Promise<void> => {
    for (const block of blocks) {
      const { offset, rows, columns } = block;
      out.set(await product(block, vector.slice(offset, offset + rows * columns)), offset);
    }
  };
  return {
    apply: (vector, out) => visit(vector, out, (block, part) => block.apply(part)),
    closedForm: {
      trace: sumOf(blocks.map(({ trace }) => trace)),
      frobeniusNorm: Math.sqrt(sumOf(blocks.map(({ square }) => square))),
      eigenvalues: () =>
        Float64Array.from(blocks.flatMap((block) => [...block.eigenvalues()]))
          .sort()
          .reverse(),
      logDeterminant: (damping) =>
        sumOf(blocks.map((block) => block.eigenvalues().reduce((sum, x) => sum + Math.log(x + damping), 0))),
      applyInverse: (vector, out, damping) =>
        visit(vector, out, (block, part) => block.applyFunction(part, (x) => 1 / (x + damping))),
    },
  };
}
