import { reduceSum, reshape } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Copies side by side: the sum of their gradients. */
export const tileRule: GradientRule = (context) => {
  const { shape } = operand(context, 0);
  const g = cotangent(context);
  const split = shape.flatMap((extent, axis) => [(g.shape[axis] ?? 0) / extent, extent]);
  if (shape.includes(0)) return [undefined];
  return [reduceSum(reshape(g, split), { axes: shape.map((_, axis) => 2 * axis) })];
};
