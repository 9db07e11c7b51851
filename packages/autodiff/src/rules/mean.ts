import { mul } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = (x + y + ...) / n`: all `n` receive the gradient over `n`, summed where broadcast. */
export const meanRule: GradientRule = (context) => {
  const share = mul(cotangent(context), 1 / context.inputs.length);
  return context.inputs.map((_, i) =>
    context.needs(i) ? reduceToShape(share, operand(context, i).shape) : undefined,
  );
};
