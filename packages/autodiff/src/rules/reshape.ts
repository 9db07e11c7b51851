import { reshape } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** The same elements in another shape (Reshape, Flatten, Squeeze, Unsqueeze): the gradient in the former shape. */
export const reshapeRule: GradientRule = (context) => [
  reshape(cotangent(context), operand(context, 0).shape),
];
