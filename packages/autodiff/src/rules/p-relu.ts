import { lessOrEqual, mul, sub } from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `y = x where x > 0, else slope x`: `g` or `g slope` to `x`, `g x` to the slope where it was used. */
export const pReluRule: GradientRule = (context) => {
  const [x, slope] = [operand(context, 0), operand(context, 1)];
  const g = cotangent(context);
  const below = gate(g, lessOrEqual(x, 0));
  return [
    context.needs(0) ? sub(g, mul(below, sub(1, slope))) : undefined,
    context.needs(1) ? reduceToShape(mul(below, x), slope.shape) : undefined,
  ];
};
