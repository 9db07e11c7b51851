import { exp, expand, mul, neg, sub } from "@isthmus/graph/builder";
import type { GradientRule } from "../gradient-rule.ts";
import { reductionOf } from "../reduction.ts";

/** `y = log(sum x)`: every element receives `g / sum x`. */
export const reduceLogSumRule: GradientRule = (context) => {
  const { x, kept, g } = reductionOf(context);
  return [expand(mul(g, exp(neg(kept))), x.shape)];
};

/** `y = log(sum exp(x))`: `g` times the softmax of `x`. */
export const reduceLogSumExpRule: GradientRule = (context) => {
  const { x, kept, g } = reductionOf(context);
  return [mul(exp(sub(x, kept)), g)];
};
