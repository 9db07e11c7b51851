import { add, mul, sigmoid, softplus, sub, tanh } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = x t`, `t = tanh(softplus(x))`: `t + x (1 - t²) sigmoid(x)`. */
export const mishRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const share = tanh(softplus(x));
  const rise = mul(mul(x, sigmoid(x)), sub(1, mul(share, share)));
  return [mul(cotangent(context), add(share, rise))];
};
