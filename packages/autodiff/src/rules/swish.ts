import { add, mul, sigmoid, sub } from "@isthmus/graph/builder";
import { floatAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";

/** `y = x s`, `s = sigmoid(alpha x)`: `s + alpha y (1 - s)`. */
export const swishRule: GradientRule = (context) => {
  const [x, y] = [operand(context, 0), result(context)];
  const alpha = floatAttribute(context.node, "alpha", 1);
  const share = sigmoid(alpha === 1 ? x : mul(x, alpha));
  const rise = mul(alpha === 1 ? y : mul(y, alpha), sub(1, share));
  return [mul(cotangent(context), add(share, rise))];
};
