import { div, equal, mul, sign, where } from "@isthmus/graph/builder";
import type { GradientRule } from "../gradient-rule.ts";
import { reductionOf } from "../reduction.ts";

/** `y = sum |x|`: the gradient with the sign of each element. */
export const reduceL1Rule: GradientRule = (context) => {
  const { x, g } = reductionOf(context);
  return [mul(sign(x), g)];
};

/** `y = sqrt(sum x²)`: `g x / y`; 0 at the origin, where there is no direction. */
export const reduceL2Rule: GradientRule = (context) => {
  const { x, kept, g } = reductionOf(context);
  return [mul(x, div(g, where(equal(kept, 0), 1, kept)))];
};

/** `y = sum x²`: `2 g x`. */
export const reduceSumSquareRule: GradientRule = (context) => {
  const { x, g } = reductionOf(context);
  return [mul(x, mul(g, 2))];
};
