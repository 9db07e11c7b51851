import { gatherElements, scatterElements } from "@isthmus/graph/builder";
import { intAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { scatterAdds } from "../scatter-adds.ts";
import { zeros } from "../zeros.ts";

/**
 * Elements written or added at indices along an axis: their gradients are read there; the rest receives the gradient where
 * nothing was written. Where two are written to one place, each receives its gradient.
 */
export const scatterElementsRule: GradientRule = (context) => {
  const isAdded = scatterAdds(context);
  const [indices, updates] = [operand(context, 1), operand(context, 2)];
  const g = cotangent(context);
  const axis = intAttribute(context.node, "axis", 0);
  const rest = () => (isAdded ? g : scatterElements(g, indices, zeros(updates, updates.shape), { axis }));
  return [
    context.needs(0) ? rest() : undefined,
    undefined,
    context.needs(2) ? gatherElements(g, indices, axis) : undefined,
  ];
};
