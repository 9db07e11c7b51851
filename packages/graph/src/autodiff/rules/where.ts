import { where } from "../../build/operators/elementwise.ts";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `z = x where c, else y`: the gradient to the one that was taken, summed where broadcast. */
export const whereRule: GradientRule = (context) => {
  const [condition, g] = [operand(context, 0), cotangent(context)];
  return [
    undefined,
    context.needs(1) ? reduceToShape(where(condition, g, 0), operand(context, 1).shape) : undefined,
    context.needs(2) ? reduceToShape(where(condition, 0, g), operand(context, 2).shape) : undefined,
  ];
};
