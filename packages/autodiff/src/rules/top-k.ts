import { scatterElements } from "@isthmus/graph/builder";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand, result } from "../gradient-rule.ts";
import { zeros } from "../zeros.ts";

/** The largest along an axis: the gradient at the places they come from. */
export const topKRule: GradientRule = (context) => {
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  return [scatterElements(zeros(x, x.shape), result(context, 1), cotangent(context), { axis })];
};
