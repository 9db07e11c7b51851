import { sizeOf } from "@isthmus/core";
import { expand, mul } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Mean over all spatial axes: each element receives an even share. */
export const globalAveragePoolRule: GradientRule = (context) => {
  const { shape } = operand(context, 0);
  return [expand(mul(cotangent(context), 1 / sizeOf(shape.slice(2))), shape)];
};
