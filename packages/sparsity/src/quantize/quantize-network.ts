import {
  asFloat32,
  type Checkpoint,
  createTensor,
  DTYPES,
  InputError,
  matchesAny,
  resolveFields,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { findAxisUses } from "@isthmus/symmetry/layout";
import { assertMatches, prunableWeights } from "../masks/prunable-weights.ts";
import { QUANTIZE_FIELDS, type QuantizeChoice } from "./quantize-options.ts";
import type { QuantizedBits } from "./quantize-values.ts";
import { layOutGrids, type QuantizeScheme, roundToGrids, type WeightGrids } from "./weight-grids.ts";

/** Options of {@link quantizeNetwork}. */
export interface QuantizeOptions extends QuantizeChoice {
  /**
   * Graph of the network, which tells the axis of each weight along which its output channels lie.
   * @defaultValue none: output channels lie along the first axis, as in PyTorch
   */
  readonly graph?: Graph | undefined;
}

/** Defaults of the options that are not plain data. */
const RUN_DEFAULTS: Required<Omit<QuantizeOptions, keyof QuantizeChoice>> = { graph: undefined };

/** Result of the quantisation of one weight. */
export interface QuantizedLayer {
  /** Name of the weight. */
  readonly name: string;
  /** Number of elements of the weight. */
  readonly elements: number;
  /** Number of scales. */
  readonly scales: number;
  /** Root mean squared error over the root mean square of the weight. */
  readonly relativeError: number;
}

/** Result of the quantisation of a network, without its weights. */
export interface QuantizeResult {
  /** Kind of the result, which tells it apart from results of other operations. */
  readonly kind: "quantize";
  /** Source of the network, such as its file. */
  readonly network: string;
  /** Number of bits of a value on the grid. */
  readonly bits: QuantizedBits;
  /** Way in which scales were chosen: one for each output channel, each weight, or each block. */
  readonly scheme: QuantizeScheme;
  /** Results of the quantised weights, in the order of the graph. */
  readonly layers: readonly QuantizedLayer[];
}

/** A quantised network. */
export interface QuantizedNetwork {
  /** All tensors of the network; quantised weights keep their element type. */
  readonly weights: Checkpoint;
  /** Record of the quantisation as plain data. */
  readonly result: QuantizeResult;
}

const ATTEMPT = "quantize";

/**
 * Rounds the weights of a network to symmetric grids of 8 or 4 bits, which reach to their largest magnitude.
 *
 * The result has floating-point weights, whose values are on the grid ("fake quantization"), so that
 * barriers, curvature and all else can be measured of quantised networks; activations and biases are not
 * quantised, and no file of integers is written. Each value moves by at most half of its scale. In f32,
 * quantising a quantised network again does not change it; f16 and bf16 round the grid.
 *
 * Quantisation is invariant to permutations of units. Scaling units changes the result; but with one scale
 * for each channel, the rounding of the weights that compute the units does not change if factors are powers
 * of 2.
 * @throws InputError if there are no weights of two or more axes, or a weight is not finite
 * @throws OutOfRangeError if a pattern matches no weight
 * @throws UsageError if an option is unknown
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint, quantizeNetwork } from "isthmus";
 *
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const { result } = await quantizeNetwork(network, { bits: 8 });
 * assert(result.layers.every(({ relativeError }) => relativeError < 0.02));
 * await network.close();
 * ```
 */
export async function quantizeNetwork(
  network: Checkpoint,
  options: QuantizeOptions = {},
): Promise<QuantizedNetwork> {
  const resolved = resolveFields(ATTEMPT, QUANTIZE_FIELDS, options, RUN_DEFAULTS);
  const { bits, scheme, layers: patterns, graph } = resolved;
  const names =
    graph === undefined ? quantizable(network, patterns) : prunableWeights(ATTEMPT, graph, patterns);
  const uses = graph && findAxisUses(graph);
  const tensors = new Map<string, Tensor>();
  const layers: QuantizedLayer[] = [];
  for (const name of names) {
    const tensor = await network.read(name);
    const [axis = 0] = uses?.get(name)?.kept ?? [];
    const grids = layOutGrids(tensor.shape, { bits, scheme, axis });
    const { values, relativeError } = quantize(name, tensor, grids);
    tensors.set(name, createTensor("f32", tensor.shape, values));
    layers.push({ name, elements: values.length, scales: grids.count, relativeError });
  }
  return {
    weights: withTensors(network, tensors),
    result: { kind: "quantize", network: network.source, bits, scheme, layers },
  };
}

function quantizable(network: Checkpoint, patterns: readonly string[] | undefined): readonly string[] {
  const names = [...network.tensors]
    .filter(([, { dtype, shape }]) => shape.length > 1 && DTYPES[dtype].float)
    .map(([name]) => name);
  if (names.length === 0) {
    throw new InputError(
      `Cannot ${ATTEMPT} "${network.source}" as it must have weights of two or more axes: it has none`,
      { input: network.source },
    );
  }
  if (patterns === undefined) return names;
  assertMatches(ATTEMPT, { option: "layers", patterns }, names);
  return names.filter((name) => matchesAny(patterns, name));
}

/**
 * Rounds a weight to its grids.
 * @throws InputError if a value is not finite
 */
function quantize(
  name: string,
  { dtype, data }: Tensor,
  grids: WeightGrids,
): { readonly values: Float32Array; readonly relativeError: number } {
  const source = asFloat32(data, dtype);
  const wrong = source.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new InputError(
      `Cannot ${ATTEMPT} "${name}" as its values must be finite: element ${wrong} is ${source[wrong]}`,
      { input: name },
    );
  }
  const values = Float32Array.from(roundToGrids(source, grids).values);
  let [error, square] = [0, 0];
  source.forEach((value, i) => {
    error += ((values[i] as number) - value) ** 2;
    square += value ** 2;
  });
  return { values, relativeError: square === 0 ? 0 : Math.sqrt(error / square) };
}
