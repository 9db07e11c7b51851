import { add, mul, neg, reciprocal, sqrt, sub, type Value } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute } from "@isthmus/graph/ir";
import { channelSum, onChannels } from "../channels.ts";
import { cotangent, type GradientContext, type GradientRule, operand } from "../gradient-rule.ts";
import { trainingBatchNormalizationRule } from "./training-batch-normalization.ts";

/** Batch norm, by given statistics or in training mode by the batch's own. */
export const batchNormalizationRule: GradientRule = (context) =>
  intAttribute(context.node, "training_mode", 0) === 1
    ? trainingBatchNormalizationRule(context)
    : byGivenStatistics(context);

/** `y = (x - mean) scale / sqrt(variance + epsilon) + bias`, all but `x` one number a channel. */
function byGivenStatistics(context: GradientContext): (Value | undefined)[] {
  const [x, scale, variance] = [operand(context, 0), operand(context, 1), operand(context, 4)];
  const g = cotangent(context);
  const inverse = reciprocal(sqrt(add(variance, floatAttribute(context.node, "epsilon", 1e-5))));
  const factor = mul(scale, inverse);
  const total = context.needs(2) || context.needs(3) ? channelSum(g) : undefined;
  // The sum of (x - mean) g / sqrt(variance + epsilon), which scale and variance both follow.
  const along = context.needs(1) || context.needs(4) ? mul(inverse, productSum(context, g)) : undefined;
  return [
    context.needs(0) ? mul(g, onChannels(factor, x.shape.length)) : undefined,
    context.needs(1) ? along : undefined,
    context.needs(2) ? total : undefined,
    context.needs(3) && total !== undefined ? neg(mul(factor, total)) : undefined,
    context.needs(4) && along !== undefined ? mul(mul(mul(factor, inverse), along), -0.5) : undefined,
  ];
}

function productSum(context: GradientContext, g: Value): Value {
  const [x, mean] = [operand(context, 0), operand(context, 3)];
  return channelSum(mul(g, sub(x, onChannels(mean, x.shape.length))));
}
