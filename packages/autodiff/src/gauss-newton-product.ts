import { entry } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum, type Value } from "@isthmus/graph/builder";
import { gradientName, shareNodes } from "@isthmus/graph/ir";
import { differentiableValues, type GradientOptions, gradient, pullBack } from "./gradient.ts";
import { hessianVectorProduct, productName, vectorName } from "./hessian-vector-product.ts";

/** Name of the input that takes the cotangent of an output, in graphs that are inlined. */
const COTANGENT = "cotangent";

/** Name of the output that holds `J v`, in a graph that is inlined. */
const PUSHED = "pushed";

/** Options of {@link gaussNewtonProduct}. */
export interface GaussNewtonOptions extends GradientOptions {
  /** Name of the value that the loss is a function of, such as the logits. */
  readonly output: string;
}

/**
 * Returns the graph that computes the Gauss-Newton matrix of a loss times a vector, `J' H J v`: `J` is the
 * Jacobian of an output by some values, and `H` holds the second derivatives of the loss by that output. For
 * cross-entropy and squared errors it is positive semi-definite, and it is the Hessian if the output is
 * linear in the values.
 *
 * Inputs and outputs have the same names as with `hessianVectorProduct`.
 *
 * @param graph - typed, as `specialize` makes it; the loss depends on the values through the output alone
 * @throws MismatchError and OutOfRangeError as `gradient` does
 * @throws UnsupportedError if the graph has control flow, or an operator has no gradient rule
 * @see Schraudolph, Fast curvature matrix-vector products, 2002
 */
export function gaussNewtonProduct(graph: Graph, options: GaussNewtonOptions): Graph {
  const { loss, output } = options;
  const inner = hessianVectorProduct(graph, { loss, withRespectTo: [output] });
  return jacobianProduct(graph, options, (builder, pushed) => {
    const values = builder.inline(inner, new Map([[vectorName(output), pushed]]));
    return entry(values, productName(loss, output), "value");
  });
}

/** Options of {@link gradientOuterProduct}. */
export interface GradientOuterOptions extends GradientOptions {
  /** Name of the value `[examples, ...]` that the loss is a weighted sum of: the losses of examples. */
  readonly losses: string;
}

/**
 * Returns the graph that computes a sum of outer products of gradients times a vector, `sum_i g_i g_i' v`,
 * where `g_i` is the gradient of the contribution of example `i` to the loss. Times the number of examples it
 * is the empirical Fisher information of a mean loss.
 *
 * Inputs and outputs have the same names as with `hessianVectorProduct`.
 *
 * @param graph - typed, as `specialize` makes it; the loss is a sum of its losses with fixed weights
 * @throws MismatchError and OutOfRangeError as `gradient` does
 * @throws UnsupportedError if the graph has control flow, or an operator has no gradient rule
 */
export function gradientOuterProduct(graph: Graph, options: GradientOuterOptions): Graph {
  const { loss, losses } = options;
  const weighed = GraphBuilder.from(gradient(graph, { loss, withRespectTo: [losses] }));
  const parts = mul(weighed.value(losses), weighed.value(gradientName(loss, losses)));
  const axes = parts.shape.map((_, axis) => axis).slice(1);
  const shares = axes.length === 0 ? parts : reduceSum(parts, { axes });
  const withShares = weighed.build([weighed.value(loss), shares]);
  return jacobianProduct(withShares, { ...options, output: shares.name }, (_, pushed) => pushed);
}

/** Returns the graph that computes `J' m(J v)`, with the Jacobian `J` of an output and any function `m`. */
function jacobianProduct(
  graph: Graph,
  { loss, output, withRespectTo }: GaussNewtonOptions,
  middle: (builder: GraphBuilder, pushed: Value) => Value,
): Graph {
  const names = differentiableValues(graph, withRespectTo);
  const back = pullBack(graph, {
    cotangents: new Map([[output, COTANGENT]]),
    withRespectTo: names,
    nameOf: pulledName,
  });
  // Gradients are linear in the cotangent, so the derivative by it is J v for any cotangent.
  const push = pullBack(back, {
    cotangents: new Map(names.map((name) => [pulledName(name), vectorName(name)])),
    withRespectTo: [COTANGENT],
    nameOf: () => PUSHED,
  });
  const builder = GraphBuilder.from(graph);
  for (const name of names) builder.input(vectorName(name), builder.value(name));
  const forward = builder.inline(push, new Map([[COTANGENT, builder.value(output)]]));
  const pushed = entry(forward, PUSHED, "value");
  const pulled = builder.inline(back, new Map([[COTANGENT, middle(builder, pushed)]]));
  const products = names.map((name) =>
    builder.rename(entry(pulled, pulledName(name), "value"), productName(loss, name)),
  );
  return shareNodes(builder.build(products));
}

/** Returns the name of the part of `J' c` that belongs to a value, in a graph that is inlined. */
function pulledName(value: string): string {
  return `pulled/${value}`;
}
