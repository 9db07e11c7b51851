import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** Broadcasting: the gradient summed over the axes that were made. */
export const expandRule: GradientRule = (context) => [
  reduceToShape(cotangent(context), operand(context, 0).shape),
];
