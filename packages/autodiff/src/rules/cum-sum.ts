import { cumSum } from "@isthmus/graph/builder";
import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, settledNumbers } from "../gradient-rule.ts";

/** Running sum: the running sum of the gradient from the other end. */
export const cumSumRule: GradientRule = (context) => {
  const { node } = context;
  const [axis = 0] = settledNumbers(context, 1) ?? [];
  const exclusive = intAttribute(node, "exclusive", 0) === 1;
  const reverse = intAttribute(node, "reverse", 0) === 0;
  return [cumSum(cotangent(context), axis, { exclusive, reverse })];
};
