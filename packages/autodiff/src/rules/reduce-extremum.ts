import { cast, div, equal, mul, reduceSum } from "@isthmus/graph/builder";
import type { GradientRule } from "../gradient-rule.ts";
import { reductionOf } from "../reduction.ts";

/** Largest or smallest: the gradient to the element it is; several that tie share it evenly, as in JAX and PyTorch. */
export const reduceExtremumRule: GradientRule = (context) => {
  const { x, kept, g, axes } = reductionOf(context);
  const won = cast(equal(x, kept), x.dtype);
  return [mul(won, div(g, reduceSum(won, { axes, keepDims: true })))];
};
