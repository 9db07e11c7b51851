import { expand } from "@isthmus/graph/builder";
import type { GradientRule } from "../gradient-rule.ts";
import { reductionOf } from "../reduction.ts";

/** `y = sum x`: every element receives the gradient. */
export const reduceSumRule: GradientRule = (context) => {
  const { x, g } = reductionOf(context);
  return [expand(g, x.shape)];
};
