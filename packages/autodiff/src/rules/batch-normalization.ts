import { sizeOf } from "@isthmus/core";
import { add, batchNorm, expand, mul, neg, reciprocal, sqrt, sub, type Value } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute } from "@isthmus/graph/ir";
import { channelMean, channelMeanSquare, channelSum, onChannels } from "../channels.ts";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";

/**
 * Differentiates a batch norm, by statistics that are operands or, in training
 * mode, by the batch's statistics.
 */
const batchNormalizationRule: GradientRule = (context) =>
  intAttribute(context.node, "training_mode", 0) === 1 ? inTraining(context) : inInference(context);

/**
 * Differentiates `y = (x - mean) scale / sqrt(variance + epsilon) + bias`, all but `x` one number a channel.
 *
 * With `r = 1 / sqrt(variance + epsilon)` and sums over all but channels: `scale r g` to `x`,
 * `r sum((x - mean) g)` to the scale, `sum(g)` to the bias, `-scale r sum(g)` to the mean,
 * `-scale r³ sum((x - mean) g) / 2` to the variance.
 */
function inInference(context: GradientContext): (Value | undefined)[] {
  const [x, scale, variance] = [context.operand(0), context.operand(1), context.operand(4)];
  const g = context.cotangent();
  const inverse = reciprocal(sqrt(add(variance, floatAttribute(context.node, "epsilon", 1e-5))));
  const factor = mul(scale, inverse);
  const total = context.needs(2) || context.needs(3) ? channelSum(g) : undefined;
  const along = context.needs(1) || context.needs(4) ? mul(inverse, centeredSum(context, g)) : undefined;
  return [
    context.needs(0) ? mul(g, onChannels(factor, x.shape.length)) : undefined,
    context.needs(1) ? along : undefined,
    context.needs(2) ? total : undefined,
    context.needs(3) && total !== undefined ? neg(mul(factor, total)) : undefined,
    context.needs(4) && along !== undefined ? mul(mul(mul(factor, inverse), along), -0.5) : undefined,
  ];
}

/** Sums `(x - mean) g` over all but channels, `[channels]`. */
function centeredSum(context: GradientContext, g: Value): Value {
  const [x, mean] = [context.operand(0), context.operand(3)];
  return channelSum(mul(g, sub(x, onChannels(mean, x.shape.length))));
}

/**
 * Differentiates `y = (x - μ) scale / sqrt(σ² + epsilon) + bias`, with the batch's mean `μ` and population
 * variance `σ²`, and the running statistics `momentum m + (1 - momentum) μ`, likewise for `σ²`.
 *
 * With `n` elements a channel, `r = 1 / sqrt(σ² + epsilon)` and means over the batch, the gradient for `x` is
 * one affine function a channel of `g` and `x - μ`, with `a = scale r`:
 *
 * `a (g - mean(g)) - a r² mean(g (x - μ)) (x - μ) + (1 - momentum) (g_mean + 2 g_variance (x - μ)) / n`.
 *
 * @see Ioffe and Szegedy, Batch normalization, 2015, section 3
 */
function inTraining(context: GradientContext): (Value | undefined)[] {
  const statistics = statisticsOf(context);
  const [g] = context.cotangents;
  const through = g === undefined ? undefined : throughOutput(context, statistics, g);
  return [
    context.needs(0) ? trainingInputGradient(context, statistics, { g, through }) : undefined,
    context.needs(1) ? through?.scale : undefined,
    context.needs(2) ? through?.bias : undefined,
    formerGradient(context, 1, 3),
    formerGradient(context, 2, 4),
  ];
}

/** Statistics of a batch. */
interface Statistics {
  /** Centred values `x - μ`, of the shape of `x`. */
  readonly centered: Value;
  /** Inverse deviations `1 / sqrt(σ² + epsilon)`, `[channels]`. */
  readonly inverse: Value;
  /** Elements of a channel in the batch. */
  readonly count: number;
  readonly momentum: number;
}

/**
 * Returns the statistics of the batch: outputs of the node if these are the batch's statistics unmixed, at a
 * momentum of 0; else they are computed again.
 */
function statisticsOf(context: GradientContext): Statistics {
  const { node, outputs } = context;
  const x = context.operand(0);
  const momentum = floatAttribute(node, "momentum", 0.9);
  const returned = (output: number) => (momentum === 0 ? outputs[output] : undefined);
  const mean = returned(1) ?? channelMean(x);
  const centered = sub(x, onChannels(mean, x.shape.length));
  const variance = returned(2) ?? channelMeanSquare(centered);
  const inverse = reciprocal(sqrt(add(variance, floatAttribute(node, "epsilon", 1e-5))));
  return { centered, inverse, count: sizeOf(x.shape) / sizeOf(mean.shape), momentum };
}

/** Parts of the gradient that come through the first output `y`, each `[channels]`. */
interface ThroughOutput {
  /** Gradient for the scale. */
  readonly scale: Value;
  /** Gradient for the bias. */
  readonly bias: Value;
  /** Factors of `g`, of `x - μ` and of 1 in the gradient for `x`. */
  readonly factors: readonly [Value, Value, Value];
}

function throughOutput(context: GradientContext, statistics: Statistics, g: Value): ThroughOutput {
  const { centered, inverse, count } = statistics;
  const meanGradient = channelMean(g);
  const along = mul(channelMean(mul(g, centered)), inverse);
  const ofGradient = mul(context.operand(1), inverse);
  return {
    scale: mul(along, count),
    bias: mul(meanGradient, count),
    factors: [ofGradient, neg(mul(mul(ofGradient, inverse), along)), neg(mul(ofGradient, meanGradient))],
  };
}

/**
 * Gradient for `y`, and the parts that come through it; both undefined if the loss does not depend on `y`.
 */
interface OutputParts {
  readonly g: Value | undefined;
  readonly through: ThroughOutput | undefined;
}

function trainingInputGradient(
  context: GradientContext,
  statistics: Statistics,
  { g, through }: OutputParts,
): Value {
  const { centered, count, momentum } = statistics;
  const rank = centered.shape.length;
  const [, forMean, forVariance] = context.cotangents;
  const [ofGradient, ofCentered, constant] = through?.factors ?? [];
  const share = (1 - momentum) / count;
  const slope = total(ofCentered, forVariance === undefined ? undefined : mul(forVariance, 2 * share));
  const offset = total(constant, forMean === undefined ? undefined : mul(forMean, share));
  const linear = slope === undefined ? undefined : mul(centered, onChannels(slope, rank));
  if (g === undefined || ofGradient === undefined || offset === undefined) {
    const level = offset === undefined ? undefined : expand(onChannels(offset, rank), centered.shape);
    return total(linear, level) as Value;
  }
  const shifted = affine(g, ofGradient, offset);
  return linear === undefined ? shifted : add(shifted, linear);
}

function total(x: Value | undefined, y: Value | undefined): Value | undefined {
  return x === undefined || y === undefined ? (x ?? y) : add(x, y);
}

/** Computes `x factor + offset` for each channel by the batch norm operator, which does both in one pass. */
function affine(x: Value, factor: Value, offset: Value): Value {
  const level = (value: number) => expand(x.builder.scalar(value, x.dtype), factor.shape);
  return batchNorm(x, { scale: factor, bias: offset, mean: level(0), variance: level(1) }, 0);
}

/**
 * Computes the gradient for the former value, operand `input`, of the running
 * statistic that is output `output`.
 */
function formerGradient(
  { cotangents, needs, node }: GradientContext,
  output: number,
  input: number,
): Value | undefined {
  const g = cotangents[output];
  if (g === undefined || !needs(input)) return undefined;
  return mul(g, floatAttribute(node, "momentum", 0.9));
}

/** Rule of batch norm, which in training mode mixes examples, unlike all other norms. */
export const BATCH_NORMALIZATION_RULES: GradientRules = { BatchNormalization: batchNormalizationRule };
