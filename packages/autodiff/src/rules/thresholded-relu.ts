import { greater } from "@isthmus/graph/builder";
import { floatAttribute } from "@isthmus/graph/ir";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = x where x > alpha, else 0`: the gradient passes there. */
export const thresholdedReluRule: GradientRule = (context) => [
  gate(cotangent(context), greater(operand(context, 0), floatAttribute(context.node, "alpha", 1))),
];
