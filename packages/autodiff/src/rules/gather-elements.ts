import { scatterElements } from "@isthmus/graph/builder";
import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { assertScatterAdds } from "../scatter-adds.ts";
import { zeros } from "../zeros.ts";

/** Elements by index along an axis: each receives the sum of the gradients of its copies. */
export const gatherElementsRule: GradientRule = (context) => {
  assertScatterAdds(context);
  const x = operand(context, 0);
  const axis = intAttribute(context.node, "axis", 0);
  const indices = operand(context, 1);
  return [scatterElements(zeros(x, x.shape), indices, cotangent(context), { axis, reduction: "add" })];
};
