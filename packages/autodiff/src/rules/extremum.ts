import { cast, div, equal, mul, sum, type Value } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** Largest or smallest of several: the gradient to the one it is; several that tie share it evenly, as in JAX and PyTorch. */
export const extremumRule: GradientRule = (context) => {
  const [g, z] = [cotangent(context), result(context)];
  if (context.inputs.length === 1) return [g];
  const wins = context.inputs.map((_, i) => cast(equal(operand(context, i), z), z.dtype));
  const share = div(g, sum(wins));
  return wins.map((won, i) =>
    context.needs(i) ? reduceToShape(mul(share, won), (context.inputs[i] as Value).shape) : undefined,
  );
};
