import type { Checkpoint, Elements, TensorInfo } from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import type { ParameterSpecs, TensorParameters } from "./parameters.ts";

/** A floating-point tensor that is merged. */
export interface MergedTensor<P extends ParameterSpecs = ParameterSpecs> {
  readonly name: string;
  /** Element type and shape of the result. */
  readonly info: TensorInfo;
  /** Networks that are merged, at least one; not the base. */
  readonly networks: readonly [Checkpoint, ...Checkpoint[]];
  /** The network that the others were made from, for methods that have one. */
  readonly base: Checkpoint | undefined;
  /**
   * What was measured of each network, under the name of the tensor, for methods that need it; undefined
   * where nothing was measured of the tensor.
   */
  readonly measured: readonly Checkpoint[] | undefined;
  readonly parameters: TensorParameters<P>;
  /**
   * Seed of the merge, a whole number of at least 0. Random numbers are a function of it, the name of the
   * tensor, the position of the network and the position of the element, and of nothing else.
   */
  readonly seed: number;
  /** Multiplies matrices, for methods that need it. */
  readonly products: MatrixProducts;
}

/** Stored elements of one range of a tensor; they are only valid during the call. */
export interface MergedRange<P extends ParameterSpecs = ParameterSpecs, S = unknown> {
  readonly tensor: MergedTensor<P>;
  /**
   * Position of the first element in the tensor, in row-major order: random numbers and masks depend on it,
   * not on ranges.
   */
  readonly begin: number;
  /** Elements of each network. */
  readonly parts: readonly Elements[];
  /** Elements of the base, for methods that have one. */
  readonly base: Elements | undefined;
  /** What the method found out about the whole tensor. */
  readonly survey: S;
}

/** What is measured of a network on data before it is merged. */
export type MergeStatistic = "fisher" | "grams";

/** How many networks a method merges, and whether it needs the network that they were made from. */
export interface MergedNetworks {
  readonly least: number;
  /** @defaultValue any number */
  readonly most?: number;
  readonly base: "none" | "optional" | "required";
}

/** Values of parameters that do not go together. */
export interface ParameterConflict {
  /** The parameter to change, and the position of the network whose it is. */
  readonly parameter: string;
  readonly network: number;
  /** The rule and the values, such as `must be smaller than density: they are 0.5 and 0.3`. */
  readonly text: string;
}

/**
 * A rule that makes one network of several, tensor by tensor. A method is one file under
 * `methods/`, which says all this.
 *
 * `survey` is called once for each floating-point tensor, before its first range, and may read the whole
 * tensor. `blendInto` is then
 * called for ranges that cover the tensor, in any order and several at once: what it writes may depend on
 * `begin` and the survey, and
 * not on how the tensor was cut into ranges. Integer tensors, such as counters, are never blended.
 */
export interface MergeMethod<P extends ParameterSpecs = ParameterSpecs, S = unknown> {
  /** Name in recipes and on the command line. */
  readonly name: string;
  /** One sentence on what it does. */
  readonly description: string;
  /** Where it is from: paper, section and equation. */
  readonly source: string;
  readonly parameters: P;
  readonly networks: MergedNetworks;
  /**
   * What must have been measured of each network on its data: `fisher`, the diagonal of the Fisher
   * information, of the shape of each tensor; `grams`, the Gram matrix `[inputs, inputs]` of the inputs of
   * each linear layer.
   * @defaultValue nothing
   */
  readonly needs?: MergeStatistic;
  /**
   * Position of the network whose integer tensors are kept, of `count` networks.
   * @defaultValue 0
   */
  integersFrom?(parameters: TensorParameters<P>, count: number): number;
  /**
   * Positions of the networks that a tensor depends on, of `count` networks, at least one; the others are not
   * read, and their parts of a range are arbitrary.
   * @defaultValue all
   */
  networksRead?(parameters: TensorParameters<P>, count: number): readonly number[];
  /**
   * Whether the values of the parameter `weight` are divided by their sum, which must then not be 0.
   * @defaultValue they are not
   */
  dividesByWeights?(parameters: TensorParameters<P>): boolean;
  /**
   * Finds values of one tensor that each are allowed, and do not go together.
   * @defaultValue all values go together
   */
  findConflict?(parameters: TensorParameters<P>): ParameterConflict | undefined;
  /**
   * Whether a survey holds a whole tensor, as where a result cannot be computed range by range; such surveys
   * are dropped when the next tensors are made, and made again if need be.
   * @defaultValue false
   */
  readonly keepsTensor?: boolean;
  /**
   * Most bytes that the survey of a tensor holds, of `count` networks; for methods that keep whole tensors.
   * @defaultValue the bytes of all networks, the base and the result, in f32
   */
  heldBytes?(info: TensorInfo, count: number): number;
  /** Looks at a whole tensor. @defaultValue nothing is looked at */
  survey?(tensor: MergedTensor<P>): S | Promise<S>;
  /** Writes one range of the result. */
  blendInto(range: MergedRange<P, S>, out: Elements): void | Promise<void>;
}

/**
 * Returns a merge method with the types of its parameters and of its survey found out from what it says.
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
