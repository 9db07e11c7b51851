import { sizeOf } from "@isthmus/core";
import { add, cast, expand, mul, type Value } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { type GradientContext, type GradientRule, operand } from "../gradient-rule.ts";
import { normalizeAgain } from "../normalize-again.ts";
import { type Normalized, normalizedGradient } from "../normalized-gradient.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** `y = (x - mean) inverse scale + bias` over the last axes; mean and inverse deviation may be results too. */
export const layerNormalizationRule: GradientRule = (context) => {
  const [x, scale] = [operand(context, 0), operand(context, 1)];
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  const parts = normalizeAgain(x, axis, floatAttribute(context.node, "epsilon", 1e-5));
  const [g] = context.cotangents;
  const bias = context.inputs[2];
  return [
    context.needs(0) ? forInput(context, parts, g === undefined ? undefined : mul(g, scale)) : undefined,
    context.needs(1) && g !== undefined ? reduceToShape(mul(g, parts.normalized), scale.shape) : undefined,
    context.needs(2) && g !== undefined && bias !== undefined ? reduceToShape(g, bias.shape) : undefined,
  ];
};

function forInput(
  { cotangents }: GradientContext,
  parts: Normalized,
  scaled: Value | undefined,
): Value | undefined {
  const { normalized, inverse } = parts;
  const [, forMean, forInverse] = cotangents;
  const share = sizeOf(inverse.shape) / sizeOf(normalized.shape);
  const ownType = (g: Value) => mul(cast(g, normalized.dtype), share);
  const found = [
    scaled === undefined ? undefined : normalizedGradient(scaled, parts),
    forMean === undefined ? undefined : expand(ownType(forMean), normalized.shape),
    // The inverse falls with the square root of the variance: by -inverse² normalized / n for each element.
    forInverse === undefined
      ? undefined
      : mul(normalized, mul(ownType(forInverse), mul(mul(inverse, inverse), -1))),
  ].filter((part) => part !== undefined);
  return found.reduce((total, part) => add(total, part));
}
