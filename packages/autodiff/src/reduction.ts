import { reshape, type Value } from "@isthmus/graph/builder";
import { intAttribute, intsAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientContext, operand, result, settledNumbers } from "./gradient-rule.ts";

/** What a reduction's gradient rule works with. */
export interface Reduction {
  readonly x: Value;
  /** The result, reduced axes of extent 1. */
  readonly kept: Value;
  /** The gradient for the result, reduced axes of extent 1. */
  readonly g: Value;
  /** Axes that are reduced, ascending. */
  readonly axes: readonly number[];
}

/** Reads the node of a reduction, whether its axes are an attribute or an input. */
export function reductionOf(context: GradientContext): Reduction {
  const x = operand(context, 0);
  const axes = reducedAxes(context, x.shape.length);
  const shape = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return { x, kept: reshape(result(context), shape), g: reshape(cotangent(context), shape), axes };
}

function reducedAxes(context: GradientContext, rank: number): number[] {
  const { node } = context;
  const given = intsAttribute(node, "axes") ?? settledNumbers(context, 1) ?? [];
  if (given.length > 0) return given.map((axis) => wrapAxis(axis, rank)).sort((a, b) => a - b);
  return intAttribute(node, "noop_with_empty_axes", 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
}
