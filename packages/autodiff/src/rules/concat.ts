import { slice } from "@isthmus/graph/builder";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";

/** Values one after another: each receives its part of the gradient. */
export const concatRule: GradientRule = (context) => {
  const g = cotangent(context);
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), g.shape.length);
  let begin = 0;
  return context.inputs.map((_, i) => {
    const extent = operand(context, i).shape[axis] ?? 0;
    const range = { axis, begin, end: begin + extent };
    begin += extent;
    return context.needs(i) ? slice(g, [range]) : undefined;
  });
};
