import { sizeOf } from "@isthmus/core";
import { expand, mul } from "@isthmus/graph/builder";
import type { GradientRule } from "../gradient-rule.ts";
import { reductionOf } from "../reduction.ts";

/** `y = mean x`: every element receives its share of the gradient. */
export const reduceMeanRule: GradientRule = (context) => {
  const { x, g } = reductionOf(context);
  return [expand(mul(g, sizeOf(g.shape) / sizeOf(x.shape)), x.shape)];
};
