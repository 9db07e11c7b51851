import { sizeOf } from "@isthmus/core";
import { mul, reshape, type Value } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute } from "@isthmus/graph/ir";
import { channelSum, onChannels } from "../channels.ts";
import { cotangent, type GradientContext, type GradientRule, operand } from "../gradient-rule.ts";
import { normalizeAgain } from "../normalize-again.ts";
import { normalizedGradient } from "../normalized-gradient.ts";

/** Every group of channels of an example is normalised; then scale and bias, one number a channel or, before opset 21, a group. */
export const groupNormalizationRule: GradientRule = (context) =>
  inGroups(context, intAttribute(context.node, "num_groups", 1));

/** Every channel of an example is normalised; then scale and bias, one number a channel. */
export const instanceNormalizationRule: GradientRule = (context) =>
  inGroups(context, operand(context, 0).shape[1] ?? 1);

function inGroups(context: GradientContext, groups: number): (Value | undefined)[] {
  const [x, scale] = [operand(context, 0), operand(context, 1)];
  const [batch = 0] = x.shape;
  // All of a group, one after another.
  const grouped = [batch, groups, sizeOf(x.shape) / Math.max(1, batch * groups)];
  const parts = normalizeAgain(reshape(x, grouped), 2, floatAttribute(context.node, "epsilon", 1e-5));
  const scaled = sizeOf(scale.shape) === x.shape[1] ? x.shape : grouped;
  const g = reshape(cotangent(context), scaled);
  const forNormalized = () => reshape(mul(g, onChannels(scale, scaled.length)), grouped);
  return [
    context.needs(0) ? reshape(normalizedGradient(forNormalized(), parts), x.shape) : undefined,
    context.needs(1) ? channelSum(mul(g, reshape(parts.normalized, scaled))) : undefined,
    context.needs(2) ? channelSum(g) : undefined,
  ];
}
