import { greater, where } from "../../build/operators/elementwise.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = max(x, 0)`: the gradient passes where `x > 0`; at 0 it is 0, as in PyTorch and TensorFlow. */
export const reluRule: GradientRule = (context) => [
  where(greater(operand(context, 0), 0), cotangent(context), 0),
];
