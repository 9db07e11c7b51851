import { at } from "@isthmus/core";
import { add, div, layerNorm, mul, reduceMean, sqrt, type Value } from "@isthmus/graph/builder";
import { constant } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Options of {@link rootMeanSquareNorm}. */
export interface RootMeanSquareOptions {
  /** Number that is added to the mean square, so that rows of zeros can be divided. */
  readonly epsilon: number;
  /** Number that is added to the weight, which starts at 1 less the offset. @defaultValue 0 */
  readonly offset?: number;
}

/** Options of {@link normalizeRows}. */
export interface RowNormOptions extends RootMeanSquareOptions {
  /**
   * Kind of the norm: `rms` divides by the root of the mean square, `layer` is a layer norm, and `unbiased`
   * is a layer norm without the weight `name.bias`. @defaultValue rms
   */
  readonly kind?: "rms" | "layer" | "unbiased";
}

/** Applies a layer norm to rows, with the weights `name.weight` (1 at first) and `name.bias` (0). */
export function rowNorm(network: NetworkBuilder, x: Value, name: string, epsilon: number): Value {
  return normalizeRows(network, x, name, { kind: "layer", epsilon });
}

/**
 * Applies a norm of one of three kinds along the last axis, with the weight `name.weight`, and for a layer
 * norm `name.bias`.
 */
export function normalizeRows(
  network: NetworkBuilder,
  x: Value,
  name: string,
  { kind = "rms", ...options }: RowNormOptions,
): Value {
  if (kind === "rms") return rootMeanSquareNorm(network, x, name, options);
  const { epsilon } = options;
  const width = at(x.shape, x.shape.length - 1, "axis");
  const scale = network.weight(`${name}.weight`, [width], constant(1));
  if (kind === "unbiased") return layerNorm(x, { scale }, { epsilon });
  const bias = network.weight(`${name}.bias`, [width], constant(0));
  return layerNorm(x, { scale, bias }, { epsilon });
}

/**
 * Divides rows by the square root of their mean square and multiplies them by the weight `name.weight`, 1 at
 * first, or by the sum of weight and offset; built from several operators, as operator set 21 has no operator
 * for it.
 * @see Zhang and Sennrich, Root mean square layer normalization, 2019
 */
export function rootMeanSquareNorm(
  network: NetworkBuilder,
  x: Value,
  name: string,
  { epsilon, offset = 0 }: RootMeanSquareOptions,
): Value {
  const width = at(x.shape, x.shape.length - 1, "axis");
  const weight = network.weight(`${name}.weight`, [width], constant(1 - offset));
  const scale = offset === 0 ? weight : add(weight, offset);
  const square = reduceMean(mul(x, x), { axes: [-1], keepDims: true });
  return mul(div(x, sqrt(add(square, epsilon))), scale);
}
