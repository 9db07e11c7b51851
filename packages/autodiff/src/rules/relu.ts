import { greater } from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, result } from "../gradient-rule.ts";

/**
 * `y = max(x, 0)`: the gradient passes where `x > 0`; at 0 it is 0, as in PyTorch and TensorFlow. Told by `y`, so that `x` need
 * not be kept.
 */
export const reluRule: GradientRule = (context) => [gate(cotangent(context), greater(result(context), 0))];
