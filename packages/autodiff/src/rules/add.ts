import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = x + y + ...`: all receive the gradient, summed where broadcast. */
export const addRule: GradientRule = (context) =>
  context.inputs.map((_, i) =>
    context.needs(i) ? reduceToShape(cotangent(context), operand(context, i).shape) : undefined,
  );
