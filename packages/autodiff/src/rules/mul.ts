import { mul } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = x y`: each receives the gradient times the other, summed where broadcast. */
export const mulRule: GradientRule = (context) =>
  [0, 1].map((i) =>
    context.needs(i)
      ? reduceToShape(mul(cotangent(context), operand(context, 1 - i)), operand(context, i).shape)
      : undefined,
  );
