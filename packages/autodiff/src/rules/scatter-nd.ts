import { gatherND, scatterND } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { scatterAdds } from "../scatter-adds.ts";
import { zeros } from "../zeros.ts";

/**
 * Slices written or added at indices: their gradients are read there; the rest receives the gradient where nothing was
 * written. Where two are written to one place, each receives its gradient.
 */
export const scatterNDRule: GradientRule = (context) => {
  const isAdded = scatterAdds(context);
  const [indices, updates] = [operand(context, 1), operand(context, 2)];
  const g = cotangent(context);
  const rest = () => (isAdded ? g : scatterND(g, indices, zeros(updates, updates.shape)));
  return [
    context.needs(0) ? rest() : undefined,
    undefined,
    context.needs(2) ? gatherND(g, indices) : undefined,
  ];
};
