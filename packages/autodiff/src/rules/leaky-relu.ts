import { add, greater, mul } from "@isthmus/graph/builder";
import { floatAttribute } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = x where x > 0, else slope x`: the gradient with the same factor. */
export const leakyReluRule: GradientRule = (context) => {
  const slope = floatAttribute(context.node, "alpha", 0.01);
  const g = cotangent(context);
  const passes = gate(mul(g, 1 - slope), greater(operand(context, 0), 0));
  return [add(passes, mul(g, slope))];
};
