import { neg } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = x - y`: the gradient to `x`, its negative to `y`, summed where broadcast. */
export const subRule: GradientRule = (context) => {
  const part = (i: number) => reduceToShape(cotangent(context), operand(context, i).shape);
  return [context.needs(0) ? part(0) : undefined, context.needs(1) ? neg(part(1)) : undefined];
};
