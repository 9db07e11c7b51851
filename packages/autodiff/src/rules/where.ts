import { not, type Value } from "@isthmus/graph/builder";
import { gate } from "../gate.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = x where c, else y`: the gradient to the one that was taken, summed where broadcast. */
export const whereRule: GradientRule = (context) => {
  const [condition, g] = [operand(context, 0), cotangent(context)];
  const part = (input: number, taken: () => Value) =>
    context.needs(input) ? reduceToShape(gate(g, taken()), operand(context, input).shape) : undefined;
  return [undefined, part(1, () => condition), part(2, () => not(condition))];
};
