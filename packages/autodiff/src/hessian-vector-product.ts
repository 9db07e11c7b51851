import type { Graph } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { differentiableValues, type GradientOptions, gradient, pullBack } from "./gradient.ts";

/** Returns the name of the data input that takes the part of the vector that belongs to a value. */
export function vectorName(value: string): string {
  return `v(${value})`;
}

/** Returns the name of the output that holds the part of a Hessian-vector product that belongs to a value. */
export function productName(loss: string, value: string): string {
  return `Hv(${loss})/${value}`;
}

/**
 * Returns the graph that computes a Hessian times a vector, `H v`, where `H` holds the second derivatives of
 * a loss by some values. It computes the gradient of the inner product of the gradient and `v`, which costs a
 * few evaluations of the graph, regardless of the size of `H`.
 *
 * Its data inputs are the data inputs of `graph` and, for each value, the vector's part `vectorName(value)`,
 * of the value's type and shape. Its outputs are, for each value, the product's part
 * `productName(loss, value)`, of the value's shape.
 *
 * @param graph - typed, as `specialize` makes it
 * @throws MismatchError and OutOfRangeError as `gradient` does
 * @throws UnsupportedError if an operator between values and loss, or in the gradient, has no gradient rule
 * @see Pearlmutter, Fast exact multiplication by the Hessian, 1994
 */
export function hessianVectorProduct(graph: Graph, { loss, withRespectTo }: GradientOptions): Graph {
  const names = differentiableValues(graph, withRespectTo);
  return pullBack(gradient(graph, { loss, withRespectTo: names }), {
    cotangents: new Map(names.map((name) => [gradientName(loss, name), vectorName(name)])),
    withRespectTo: names,
    nameOf: (name) => productName(loss, name),
  });
}
