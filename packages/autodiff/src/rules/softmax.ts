import { exp, mul, reduceSum, sub } from "@isthmus/graph/builder";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientContext, type GradientRule, result } from "../gradient-rule.ts";

/** Operator set from which a softmax runs along one axis; before it runs along all axes from one on. */
const ONE_AXIS = 13;

function summedAxes({ node, builder }: GradientContext, rank: number): number[] {
  if (builder.opset >= ONE_AXIS) return [wrapAxis(intAttribute(node, "axis", -1), rank)];
  const first = wrapAxis(intAttribute(node, "axis", 1), rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

/** `y = softmax(x)`: `y (g - sum(g y))`. */
export const softmaxRule: GradientRule = (context) => {
  const [g, y] = [cotangent(context), result(context)];
  const axes = summedAxes(context, y.shape.length);
  const weighted = mul(g, y);
  return [sub(weighted, mul(y, reduceSum(weighted, { axes, keepDims: true })))];
};

/** `y = log softmax(x)`: `g - exp(y) sum(g)`. */
export const logSoftmaxRule: GradientRule = (context) => {
  const [g, y] = [cotangent(context), result(context)];
  const axes = summedAxes(context, y.shape.length);
  return [sub(g, mul(exp(y), reduceSum(g, { axes, keepDims: true })))];
};
