import { cast, mul, type Value } from "@isthmus/graph/builder";

/**
 * Returns `x` where a condition holds, else 0, broadcast.
 *
 * It multiplies by the condition as a number: onnxruntime's `Where` branches at every element, which
 * costs 4-5 ns on random conditions against 0.4. Unlike `Where` it gives NaN where the condition
 * fails and `x` is not finite.
 */
export function gate(x: Value, condition: Value): Value {
  return mul(x, cast(condition, x.dtype));
}
