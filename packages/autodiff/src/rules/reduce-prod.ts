import { cast, div, equal, mul, reduceProd, reduceSum, where } from "@isthmus/graph/builder";
import type { GradientRule } from "../gradient-rule.ts";
import { reductionOf } from "../reduction.ts";

/**
 * `y = prod x`: `g` times the product of the others, also where elements are 0. Second derivatives are right where none is 0.
 */
export const reduceProdRule: GradientRule = (context) => {
  const { x, g, axes } = reductionOf(context);
  const isZero = equal(x, 0);
  const nonzero = where(isZero, 1, x);
  const zeros = reduceSum(cast(isZero, x.dtype), { axes, keepDims: true });
  const product = mul(g, reduceProd(nonzero, { axes, keepDims: true }));
  const ifNone = where(equal(zeros, 0), product, 0);
  const ifOne = where(equal(zeros, 1), product, 0);
  return [where(isZero, ifOne, div(ifNone, nonzero))];
};
