import { div, mul, neg } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = x / y`: `g / y` to `x`, `-g z / y` to `y`, summed where broadcast. */
export const divRule: GradientRule = (context) => {
  const [x, y] = [operand(context, 0), operand(context, 1)];
  const quotient = div(cotangent(context), y);
  return [
    context.needs(0) ? reduceToShape(quotient, x.shape) : undefined,
    context.needs(1) ? neg(reduceToShape(mul(quotient, result(context)), y.shape)) : undefined,
  ];
};
