import type { Checkpoint, Elements, TensorInfo } from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { ParameterSpecs, TensorParameters } from "./parameters.ts";

/** A floating-point tensor that is merged. */
export interface MergedTensor<P extends ParameterSpecs = ParameterSpecs> {
  /** Name of the tensor in the result. */
  readonly name: string;
  /** Element type and shape of the result. */
  readonly info: TensorInfo;
  /** Networks that are merged, at least one, without the base. */
  readonly networks: readonly [Checkpoint, ...Checkpoint[]];
  /** Base that the networks were fine-tuned from; undefined for methods without a base. */
  readonly base: Checkpoint | undefined;
  /**
   * Statistics of the data of each network, under the name of the tensor, for methods that need them;
   * undefined if the tensor has none.
   */
  readonly measured: readonly Checkpoint[] | undefined;
  /** Checked values of the method's parameters for this tensor. */
  readonly parameters: TensorParameters<P>;
  /**
   * Seed of the merge, a whole number of at least 0. Random numbers are a function of it, the name of the
   * tensor, the position of the network and the position of the element, and of nothing else.
   */
  readonly seed: number;
  /** Multiplier of matrices, for methods that need one. */
  readonly products: MatrixProducts;
}

/** Stored elements of one range of a tensor; they are only valid during the call. */
export interface MergedRange<P extends ParameterSpecs = ParameterSpecs, S = unknown> {
  /** Tensor that the range belongs to. */
  readonly tensor: MergedTensor<P>;
  /**
   * Position of the first element in the tensor, in row-major order: random numbers and masks depend on it,
   * not on ranges.
   */
  readonly begin: number;
  /** Elements of each network. */
  readonly parts: readonly Elements[];
  /** Elements of the base; undefined for methods without a base. */
  readonly base: Elements | undefined;
  /** Result of the method's survey of the whole tensor. */
  readonly survey: S;
}

/** Kind of statistics of a network's data, which are measured before the merge. */
export type MergeStatistic = "fisher" | "grams";

/** Number of networks that a method merges, and whether it needs a base. */
export interface MergedNetworks {
  /** Smallest number of networks, without the base. */
  readonly least: number;
  /** Largest number of networks. @defaultValue any number */
  readonly most?: number;
  /** Need of a base: none is allowed, one may be given, or one must be given. */
  readonly base: "none" | "optional" | "required";
  /**
   * Number of networks up to which the method gives their plain average, of which recipes warn.
   * @defaultValue 0: it never does for sure
   */
  readonly averages?: number;
}

/** Values of parameters that contradict each other, or the number of networks. */
export interface ParameterConflict {
  /** Name of the parameter to change. */
  readonly parameter: string;
  /** Position of the network whose value is to be changed; 0 for a parameter of the merge. */
  readonly network: number;
  /** Rule and values, such as `must be smaller than density: they are 0.5 and 0.3`. */
  readonly text: string;
}

/**
 * A rule that makes one network from several, tensor by tensor. Each file under `methods/` defines one
 * method.
 *
 * `survey` is called once for each floating-point tensor, before its first range, and may read the whole
 * tensor. `blendInto` is then called for ranges that cover the tensor, in any order and several at once. Its
 * result may depend on `begin` and the survey, but not on how the tensor was cut into ranges. Integer
 * tensors, such as counters, are never blended.
 */
export interface MergeMethod<P extends ParameterSpecs = ParameterSpecs, S = unknown> {
  /** Name in recipes and on the command line. */
  readonly name: string;
  /** One sentence that describes the method. */
  readonly description: string;
  /** Source of the method: paper, section and equation. */
  readonly source: string;
  /** Descriptions of the parameters, by their names in recipes. */
  readonly parameters: P;
  /** Number of networks that the method merges, and its need of a base. */
  readonly networks: MergedNetworks;
  /**
   * Statistics of the data of each network that the method needs: `fisher`, the diagonal of the Fisher
   * information, of the shape of each tensor; `grams`, the Gram matrix `[inputs, inputs]` of the inputs of
   * each linear layer.
   * @defaultValue none
   */
  readonly needs?: MergeStatistic;
  /**
   * Returns the position of the network whose integer tensors are kept, of `count` networks.
   * @defaultValue 0
   */
  integersFrom?(parameters: TensorParameters<P>, count: number): number;
  /**
   * Returns the positions of the networks on which a tensor depends, of `count` networks, at least one. The
   * other networks are not read, and their parts of a range are arbitrary.
   * @defaultValue all
   */
  networksRead?(parameters: TensorParameters<P>, count: number): readonly number[];
  /**
   * Checks whether the values of the parameter `weight` are divided by their sum, which must not be 0 then.
   * @defaultValue false for all values
   */
  dividesByWeights?(parameters: TensorParameters<P>): boolean;
  /**
   * Finds values for one tensor that are allowed each, but contradict each other, or the number of networks.
   * @defaultValue undefined for all values
   */
  findConflict?(parameters: TensorParameters<P>, count: number): ParameterConflict | undefined;
  /**
   * Whether a survey holds a whole tensor, for example because the result cannot be computed range by range.
   * Such surveys are dropped when the next tensors are made, and repeated if necessary.
   * @defaultValue false
   */
  readonly keepsTensor?: boolean;
  /**
   * Returns the most bytes that the survey of a tensor of `count` networks holds, for methods that keep whole
   * tensors.
   * @defaultValue the bytes of all networks, the base and the result, in f32
   */
  heldBytes?(info: TensorInfo, count: number): number;
  /** Examines a whole tensor before it is merged. @defaultValue no survey */
  survey?(tensor: MergedTensor<P>): S | Promise<S>;
  /** Computes one range of the result. */
  blendInto(range: MergedRange<P, S>, out: Elements): void | Promise<void>;
}

/**
 * Returns a merge method, with the types of its parameters and of its survey inferred from its definition.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fromFloat64Into, openCheckpoint, toFloat64 } from "@isthmus/core";
 * import { defineMergeMethod, merge } from "@isthmus/merging";
 *
 * const median = defineMergeMethod({
 *   name: "median",
 *   description: "Takes the median of three networks, element by element.",
 *   source: "Yin et al., Byzantine-robust distributed learning, 2018, definition 1",
 *   parameters: {},
 *   networks: { least: 3, most: 3, base: "none" },
 *   blendInto({ parts }, out) {
 *     const [a, b, c] = parts.map(({ data, dtype }) => toFloat64(data, dtype));
 *     assert(a && b && c);
 *     const middle = a.map((x, i) => [x, b[i]!, c[i]!].sort((p, q) => p - q)[1]!);
 *     fromFloat64Into(middle, out.dtype, out.data);
 *   },
 * });
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const merged = merge([a, b, a], { method: median });
 * assert.deepEqual(await merged.read("layers.3.bias"), await a.read("layers.3.bias"));
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export function defineMergeMethod<const P extends ParameterSpecs, S = undefined>(
  method: MergeMethod<P, S>,
): MergeMethod<P, S> {
  return method;
}
