import { greater } from "../../build/operators/elementwise.ts";
import { floatAttribute } from "../../ir/attributes.ts";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** `y = x where x > alpha, else 0`: the gradient passes there. */
export const thresholdedReluRule: GradientRule = (context) => [
  gate(cotangent(context), greater(operand(context, 0), floatAttribute(context.node, "alpha", 1))),
];
