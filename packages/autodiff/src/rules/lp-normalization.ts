import { abs, div, equal, mul, reduceSum, sign, sqrt, sub, type Value, where } from "@isthmus/graph/builder";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";

/** `y = x / n` along an axis, `n` the sum of magnitudes or the root of the sum of squares: `(g - n'(x) sum(g y)) / n`. */
export const lpNormalizationRule: GradientRule = (context) => {
  const [x, y, g] = [operand(context, 0), result(context), cotangent(context)];
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  const sum = (value: Value) => reduceSum(value, { axes: [axis], keepDims: true });
  const isFirst = intAttribute(context.node, "p", 2) === 1;
  const norm = isFirst ? sum(abs(x)) : sqrt(sum(mul(x, x)));
  const slope = isFirst ? sign(x) : y;
  return [div(sub(g, mul(slope, sum(mul(g, y)))), where(equal(norm, 0), 1, norm))];
};
