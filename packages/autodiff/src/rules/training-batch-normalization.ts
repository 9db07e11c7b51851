import { sizeOf } from "@isthmus/core";
import { add, batchNorm, expand, mul, neg, reciprocal, sqrt, sub, type Value } from "@isthmus/graph/builder";
import { floatAttribute } from "@isthmus/graph/ir";
import { channelMean, channelMeanSquare, onChannels } from "../channels.ts";
import { type GradientContext, type GradientRule, operand } from "../gradient-rule.ts";

/**
 * Batch norm by the statistics of its batch: `y = (x - μ) scale / sqrt(σ² + epsilon) + bias`, with the batch's mean `μ` and
 * population variance `σ²`, and running statistics `momentum m + (1 - momentum) μ`, likewise for `σ²`.
 *
 * With `n` elements a channel, `r = 1 / sqrt(σ² + epsilon)` and means over the batch, the gradient for `x` is one affine
 * function a channel of `g` and `x - μ`:
 *
 * `a (g - mean(g)) - a r² mean(g (x - μ)) (x - μ) + (1 - momentum) (g_mean + 2 g_variance (x - μ)) / n`, `a = scale r`.
 *
 * @see Ioffe and Szegedy, Batch normalization, 2015, section 3
 */
export const trainingBatchNormalizationRule: GradientRule = (context) => {
  const statistics = statisticsOf(context);
  const [g] = context.cotangents;
  const through = g === undefined ? undefined : throughOutput(context, statistics, g);
  return [
    context.needs(0) ? forInput(context, statistics, { g, through }) : undefined,
    context.needs(1) ? through?.scale : undefined,
    context.needs(2) ? through?.bias : undefined,
    carried(context, 1, 3),
    carried(context, 2, 4),
  ];
};

/** One number a channel, but `centered`. */
interface Statistics {
  /** `x - μ`. */
  readonly centered: Value;
  /** `1 / sqrt(σ² + epsilon)`. */
  readonly inverse: Value;
  /** Elements of a channel. */
  readonly count: number;
  readonly momentum: number;
}

/** Reads statistics that the node returns as they are, which a momentum of 0 makes it do; else computes them again. */
function statisticsOf(context: GradientContext): Statistics {
  const { node, outputs } = context;
  const x = operand(context, 0);
  const momentum = floatAttribute(node, "momentum", 0.9);
  const returned = (output: number) => (momentum === 0 ? outputs[output] : undefined);
  const mean = returned(1) ?? channelMean(x);
  const centered = sub(x, onChannels(mean, x.shape.length));
  const variance = returned(2) ?? channelMeanSquare(centered);
  const inverse = reciprocal(sqrt(add(variance, floatAttribute(node, "epsilon", 1e-5))));
  return { centered, inverse, count: sizeOf(x.shape) / sizeOf(mean.shape), momentum };
}

interface ThroughOutput {
  readonly scale: Value;
  readonly bias: Value;
  /** Factor of `g`, `x - μ` and 1. */
  readonly factors: readonly [Value, Value, Value];
}

function throughOutput(context: GradientContext, statistics: Statistics, g: Value): ThroughOutput {
  const { centered, inverse, count } = statistics;
  const meanGradient = channelMean(g);
  const along = mul(channelMean(mul(g, centered)), inverse);
  const ofGradient = mul(operand(context, 1), inverse);
  return {
    scale: mul(along, count),
    bias: mul(meanGradient, count),
    factors: [ofGradient, neg(mul(mul(ofGradient, inverse), along)), neg(mul(ofGradient, meanGradient))],
  };
}

interface Parts {
  readonly g: Value | undefined;
  readonly through: ThroughOutput | undefined;
}

function forInput(context: GradientContext, statistics: Statistics, { g, through }: Parts): Value {
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

/** `x factor + offset` a channel, by the batch norm operator, which does both in one pass. */
function affine(x: Value, factor: Value, offset: Value): Value {
  const level = (value: number) => expand(x.builder.scalar(value, x.dtype), factor.shape);
  return batchNorm(x, { scale: factor, bias: offset, mean: level(0), variance: level(1) }, 0);
}

/** Gradient for a statistic of before that a running one is mixed from. */
function carried(
  { cotangents, needs, node }: GradientContext,
  output: number,
  input: number,
): Value | undefined {
  const g = cotangents[output];
  if (g === undefined || !needs(input)) return undefined;
  return mul(g, floatAttribute(node, "momentum", 0.9));
}
