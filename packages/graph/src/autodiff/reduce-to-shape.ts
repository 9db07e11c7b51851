import { sameShape } from "@isthmus/core";
import { reshape } from "../build/operators/layout.ts";
import { reduceSum } from "../build/operators/reduce.ts";
import type { Value } from "../build/value.ts";

/** Sums a gradient over the axes along which an operand of `shape` was broadcast: the adjoint of broadcasting. */
export function reduceToShape(gradient: Value, shape: readonly number[]): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  const axes = [...gradient.shape.keys()].filter(
    (axis) => axis < extra || (shape[axis - extra] === 1 && gradient.shape[axis] !== 1),
  );
  return reshape(reduceSum(gradient, { axes, keepDims: true }), shape);
}
