import { triangle } from "@isthmus/graph/builder";
import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, settledNumbers } from "../gradient-rule.ts";

/** A triangle of matrices: the same triangle of the gradient. */
export const triluRule: GradientRule = (context) => {
  const [diagonal = 0] = settledNumbers(context, 1) ?? [];
  const upper = intAttribute(context.node, "upper", 1) === 1;
  return [triangle(cotangent(context), { upper, diagonal })];
};
