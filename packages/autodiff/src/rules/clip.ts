import { equal, greater, less, type Value } from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/**
 * `y = min(max(x, low), high)`: the gradient to `x` where it is not clipped, the bounds included, as in PyTorch; else to the
 * bound that holds.
 */
export const clipRule: GradientRule = (context) => {
  const [x, y, g] = [operand(context, 0), result(context), cotangent(context)];
  const toBound = (input: number, holds: (x: Value, bound: Value) => Value) => {
    if (!context.needs(input)) return undefined;
    const bound = operand(context, input);
    return reduceToShape(gate(g, holds(x, bound)), bound.shape);
  };
  return [context.needs(0) ? gate(g, equal(x, y)) : undefined, toBound(1, less), toBound(2, greater)];
};
