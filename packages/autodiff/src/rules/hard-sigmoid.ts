import { and, greater, less, mul } from "@isthmus/graph/builder";
import { floatAttribute } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, result } from "../gradient-rule.ts";

/** `y = clip(alpha x + beta, 0, 1)`: `alpha g` strictly between the bounds, else 0, as in PyTorch. */
export const hardSigmoidRule: GradientRule = (context) => {
  const y = result(context);
  const inside = and(greater(y, 0), less(y, 1));
  return [gate(mul(cotangent(context), floatAttribute(context.node, "alpha", 0.2)), inside)];
};
