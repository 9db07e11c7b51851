import { add, mul, reciprocal, reduceMean, sqrt } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { normalizedGradient } from "../normalized-gradient.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `y = x / sqrt(mean(x²) + epsilon) scale` over the last axes. */
export const rmsNormalizationRule: GradientRule = (context) => {
  const [x, scale] = [operand(context, 0), operand(context, 1)];
  const g = cotangent(context);
  const axes = [...x.shape.keys()].slice(wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length));
  const epsilon = floatAttribute(context.node, "epsilon", 1e-5);
  const inverse = reciprocal(sqrt(add(reduceMean(mul(x, x), { axes, keepDims: true }), epsilon)));
  const normalized = mul(x, inverse);
  const parts = { normalized, inverse, axes, isCentered: false };
  return [
    context.needs(0) ? normalizedGradient(mul(g, scale), parts) : undefined,
    context.needs(1) ? reduceToShape(mul(g, normalized), scale.shape) : undefined,
  ];
};
