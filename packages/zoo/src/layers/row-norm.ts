import { add, div, layerNorm, mul, reduceMean, sqrt, type Value } from "@isthmus/graph/builder";
import { constant } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Layer norm of rows, with weights `name.weight` (1 at first) and `name.bias` (0). */
export function rowNorm(network: NetworkBuilder, x: Value, name: string, epsilon: number): Value {
  const width = x.shape.at(-1) ?? 0;
  const scale = network.weight(`${name}.weight`, [width], constant(1));
  const bias = network.weight(`${name}.bias`, [width], constant(0));
  return layerNorm(x, { scale, bias }, { epsilon });
}

/**
 * Rows over the root of their mean square, with the weight `name.weight` (1 at first); from its parts, as operator set 21 has no
 * such operator.
 * @see Zhang and Sennrich, Root mean square layer normalization, 2019
 */
export function rootMeanSquareNorm(network: NetworkBuilder, x: Value, name: string, epsilon: number): Value {
  const scale = network.weight(`${name}.weight`, [x.shape.at(-1) ?? 0], constant(1));
  const square = reduceMean(mul(x, x), { axes: [-1], keepDims: true });
  return mul(div(x, sqrt(add(square, epsilon))), scale);
}
