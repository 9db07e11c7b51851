import { at, sizeOf } from "@isthmus/core";
import {
  abs,
  add,
  cast,
  div,
  equal,
  exp,
  expand,
  mul,
  reciprocal,
  reduceMean,
  reduceSum,
  reshape,
  sign,
  sqrt,
  sub,
  type Value,
  where,
} from "@isthmus/graph/builder";
import { float, floatAttribute, int, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { channelSum, onChannels } from "../channels.ts";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/** A normalised value `z = (x - mean(x)) inverse`, or `z = x inverse` if it is not centred. */
interface Normalized {
  /** Normalised value `z`, of the shape of `x`. */
  readonly normalized: Value;
  /** One over the deviation or the root mean square; axes that were normalised over have extent 1. */
  readonly inverse: Value;
  /** Axes that were normalised over. */
  readonly axes: readonly number[];
  /** Whether the mean was subtracted. */
  readonly isCentered: boolean;
}

/** Computes the gradient for `x` from `g`, the gradient for `z`: `inverse (g - mean(g) - z mean(g z))`. */
function normalizedGradient(g: Value, { normalized, inverse, axes, isCentered }: Normalized): Value {
  const mean = (value: Value) => reduceMean(value, { axes, keepDims: true });
  const along = mul(normalized, mean(mul(g, normalized)));
  const centered = isCentered ? sub(g, mean(g)) : g;
  return mul(sub(centered, along), inverse);
}

/** Normalises `x` again over the axes from `axis` on, as a layer norm does before scale and bias. */
function normalizeAgain(x: Value, axis: number, epsilon: number): Normalized {
  const axes = [...x.shape.keys()].slice(axis);
  // The operator computes its second result in f32 whatever the type of the first.
  const [normalized, inverse] =
    x.dtype === "f32" ? byOperator(x, axis, epsilon) : fromParts(x, axes, epsilon);
  return { normalized, inverse, axes, isCentered: true };
}

function byOperator(x: Value, axis: number, epsilon: number): readonly [Value, Value] {
  const { builder, dtype, shape } = x;
  const reduced = shape.map((extent, i) => (i < axis ? extent : 1));
  const one = builder.numbers([1], dtype);
  const results = builder.emit(
    "LayerNormalization",
    [x, one],
    [{ dtype, shape }, undefined, { dtype, shape: reduced }],
    { attributes: { axis: int(axis), epsilon: float(epsilon) } },
  );
  return results as [Value, Value];
}

function fromParts(x: Value, axes: readonly number[], epsilon: number): readonly [Value, Value] {
  const mean = (value: Value) => reduceMean(value, { axes, keepDims: true });
  const centered = sub(x, mean(x));
  const inverse = reciprocal(sqrt(add(mean(mul(centered, centered)), epsilon)));
  return [mul(centered, inverse), inverse];
}

/**
 * Differentiates `y = (x - mean) inverse scale + bias` over the last axes. The mean and the inverse deviation
 * may be outputs of the node, too, with gradients of their own.
 */
const layerNormalizationRule: GradientRule = (context) => {
  const [x, scale] = [context.operand(0), context.operand(1)];
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  const parts = normalizeAgain(x, axis, floatAttribute(context.node, "epsilon", 1e-5));
  const [g] = context.cotangents;
  const bias = context.inputs[2];
  const forX = () => layerInputGradient(context, parts, g === undefined ? undefined : mul(g, scale));
  return [
    context.needs(0) ? forX() : undefined,
    context.needs(1) && g !== undefined ? reduceToShape(mul(g, parts.normalized), scale.shape) : undefined,
    context.needs(2) && g !== undefined && bias !== undefined ? reduceToShape(g, bias.shape) : undefined,
  ];
};

/**
 * Sums the gradients for `x` that come through the three outputs of a layer norm.
 * @param scaled - gradient for the normalised value; undefined if the loss does
 *   not depend on the first output
 */
function layerInputGradient(
  { cotangents }: GradientContext,
  parts: Normalized,
  scaled: Value | undefined,
): Value | undefined {
  const { normalized, inverse } = parts;
  const [, forMean, forInverse] = cotangents;
  const share = sizeOf(inverse.shape) / sizeOf(normalized.shape);
  const shareOf = (g: Value) => mul(cast(g, normalized.dtype), share);
  const gradients = [
    scaled === undefined ? undefined : normalizedGradient(scaled, parts),
    forMean === undefined ? undefined : expand(shareOf(forMean), normalized.shape),
    // The inverse falls with the square root of the variance: by -inverse² normalized / n for each element.
    forInverse === undefined
      ? undefined
      : mul(normalized, mul(shareOf(forInverse), mul(mul(inverse, inverse), -1))),
  ].filter((part) => part !== undefined);
  return gradients.reduce((total, part) => add(total, part));
}

/** Differentiates `y = x / sqrt(mean(x²) + epsilon) scale` over the last axes. */
const rmsNormalizationRule: GradientRule = (context) => {
  const [x, scale] = [context.operand(0), context.operand(1)];
  const g = context.cotangent();
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

/**
 * Differentiates a norm over each group of channels of each example, followed by scale and bias: one number a
 * channel or, before operator set 21, a group.
 */
const groupNormalizationRule: GradientRule = (context) =>
  groupGradients(context, intAttribute(context.node, "num_groups", 1));

/**
 * Differentiates a norm over each channel of each example, followed by scale and bias, one number a channel.
 */
const instanceNormalizationRule: GradientRule = (context) =>
  groupGradients(context, at(context.operand(0).shape, 1, "axis"));

function groupGradients(context: GradientContext, groups: number): (Value | undefined)[] {
  const [x, scale] = [context.operand(0), context.operand(1)];
  const [batch = 0] = x.shape;
  // Shape with the elements of a group one after another.
  const grouped = [batch, groups, sizeOf(x.shape) / Math.max(1, batch * groups)];
  const parts = normalizeAgain(reshape(x, grouped), 2, floatAttribute(context.node, "epsilon", 1e-5));
  const scaled = sizeOf(scale.shape) === x.shape[1] ? x.shape : grouped;
  const g = reshape(context.cotangent(), scaled);
  const forNormalized = () => reshape(mul(g, onChannels(scale, scaled.length)), grouped);
  return [
    context.needs(0) ? reshape(normalizedGradient(forNormalized(), parts), x.shape) : undefined,
    context.needs(1) ? channelSum(mul(g, reshape(parts.normalized, scaled))) : undefined,
    context.needs(2) ? channelSum(g) : undefined,
  ];
}

/**
 * Differentiates `y = x / n` along an axis, `n` being the sum of magnitudes (`p` = 1) or the root of the sum
 * of squares (`p` = 2): `(g - n'(x) sum(g y)) / n`.
 */
const lpNormalizationRule: GradientRule = (context) => {
  const [x, y, g] = [context.operand(0), context.result(), context.cotangent()];
  const axis = wrapAxis(intAttribute(context.node, "axis", -1), x.shape.length);
  const sum = (value: Value) => reduceSum(value, { axes: [axis], keepDims: true });
  const isFirst = intAttribute(context.node, "p", 2) === 1;
  const norm = isFirst ? sum(abs(x)) : sqrt(sum(mul(x, x)));
  const slope = isFirst ? sign(x) : y;
  return [div(sub(g, mul(slope, sum(mul(g, y)))), where(equal(norm, 0), 1, norm))];
};

/**
 * Version of the operator set since which a softmax runs along one axis; before, it ran along all axes from
 * one on.
 */
const ONE_AXIS = 13;

function softmaxAxes({ node, builder }: GradientContext, rank: number): number[] {
  if (builder.opset >= ONE_AXIS) return [wrapAxis(intAttribute(node, "axis", -1), rank)];
  const first = wrapAxis(intAttribute(node, "axis", 1), rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

/** Differentiates `y = softmax(x)`: `y (g - sum(g y))`. */
const softmaxRule: GradientRule = (context) => {
  const [g, y] = [context.cotangent(), context.result()];
  const axes = softmaxAxes(context, y.shape.length);
  const weighted = mul(g, y);
  return [sub(weighted, mul(y, reduceSum(weighted, { axes, keepDims: true })))];
};

/** Differentiates `y = log softmax(x)`: `g - exp(y) sum(g)`. */
const logSoftmaxRule: GradientRule = (context) => {
  const [g, y] = [context.cotangent(), context.result()];
  const axes = softmaxAxes(context, y.shape.length);
  return [sub(g, mul(exp(y), reduceSum(g, { axes, keepDims: true })))];
};

/** Rules of operators that normalise each example by statistics or sums over some of its axes. */
export const NORMALIZATION_RULES: GradientRules = {
  GroupNormalization: groupNormalizationRule,
  InstanceNormalization: instanceNormalizationRule,
  LayerNormalization: layerNormalizationRule,
  LogSoftmax: logSoftmaxRule,
  LpNormalization: lpNormalizationRule,
  RMSNormalization: rmsNormalizationRule,
  Softmax: softmaxRule,
};
