import { sameShape } from "@isthmus/core";
import { reduceSum, reshape, type Value } from "@isthmus/graph/builder";

/**
 * Reduces a gradient by summing over the axes along which an operand of `shape` was broadcast:
 * the adjoint of broadcasting.
 */
export function reduceToShape(gradient: Value, shape: readonly number[]): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  const axes = [...gradient.shape.keys()].filter(
    (axis) => axis < extra || (shape[axis - extra] === 1 && gradient.shape[axis] !== 1),
  );
  return reshape(reduceSum(gradient, { axes, keepDims: true }), shape);
}
