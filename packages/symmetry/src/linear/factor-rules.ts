import { constantNumbers, intAttribute, stringAttribute } from "@isthmus/graph/ir";
import type { Labelled } from "../labels/field.ts";
import { insertAxes, removeAxes, reshape } from "../primitives/move.ts";
import { gemmFactors } from "../rules/matrix-product.ts";
import { depthToSpace, gather, spaceToDepth } from "../rules/movement.ts";
import { MOVEMENT_RULES } from "../rules/movement-rules.ts";
import { givenInputs, inputOf, isComputed, outputShape } from "../rules/rule.ts";
import type { WalkKind } from "./factor-algebra.ts";
import {
  concatenateFactors,
  gathering,
  moving,
  padFactors,
  sumFactors,
  windowFactors,
} from "./move-factors.ts";
import type { FactorContext, FactorRule } from "./rule.ts";

/** Restricts a rule to factors of some kinds, for which `f(t x) = t f(x)`. */
function only(kinds: readonly WalkKind[], rule: FactorRule): FactorRule {
  return (context) => (kinds.includes(context.algebra.kind) ? rule(context) : undefined);
}

/**
 * Passes the factors of the first input; further inputs, such as slopes, must not change, and further
 * outputs, such as masks, do not.
 */
const pass: FactorRule = (context) => {
  const [x, ...others] = givenInputs(context);
  if (x === undefined) return undefined;
  for (const other of others) context.algebra.fix(other);
  return [x];
};

const add: FactorRule = (context) => [context.algebra.add(givenInputs(context), outputShape(context))];

function product(inverse: boolean): FactorRule {
  return (context) => [
    context.algebra.multiply([inputOf(context, 0), inputOf(context, 1)], outputShape(context), inverse),
  ];
}

const matMul: FactorRule = (context) => {
  const [left, right] = [inputOf(context, 0), inputOf(context, 1)];
  if (left.shape.length < 2 || right.shape.length < 2) return undefined;
  const a = insertAxes(left, [left.shape.length]);
  const b = insertAxes(right, [right.shape.length - 2]);
  const summed = Math.max(a.shape.length, b.shape.length) - 2;
  return [removeAxes(context.algebra.contract([a, b], [summed]), [summed])];
};

const gemm: FactorRule = (context) => {
  const [a, b] = gemmFactors(context);
  const result = removeAxes(context.algebra.contract([a, b], [1]), [1]);
  const added = context.inputs[2];
  return [added === undefined ? result : context.algebra.add([result, added], outputShape(context))];
};

/** Reshapes a tensor; returns undefined if the reshape loses a field. */
function reshaped({ store }: FactorContext, input: Labelled, shape: readonly number[]): Labelled | undefined {
  const result = reshape(store, input, shape);
  return result.fields.length === input.fields.length ? result : undefined;
}

function spatialAxes(shape: readonly number[]): number[] {
  return shape.map((_, axis) => axis).slice(2);
}

/** Follows `Conv`: `[N, g, 1, C/g] x [1, g, O/g, C/g]`, as for labels. */
const convolution: FactorRule = (context) => {
  const { algebra, node } = context;
  const groups = intAttribute(node, "group", 1);
  const [x, kernel] = [inputOf(context, 0), inputOf(context, 1)];
  const still = removeAxes(algebra.fixAlong(x, spatialAxes(x.shape)), []);
  const space = spatialAxes(x.shape);
  const flat = removeAxes({ shape: flatten(still.shape), fields: still.fields }, space);
  const window = spatialAxes(kernel.shape);
  const fixed = algebra.fixAlong(kernel, window);
  const flatKernel = removeAxes({ shape: flatten(fixed.shape), fields: fixed.fields }, window);
  const [batch = 1, channels = 1] = flat.shape;
  const [outputs = 1, perGroup = 1] = flatKernel.shape;
  const viewed = reshaped(context, flat, [batch, groups, channels / groups]);
  const weights = reshaped(context, flatKernel, [groups, outputs / groups, perGroup]);
  if (viewed === undefined || weights === undefined) return undefined;
  const sum = algebra.contract([insertAxes(viewed, [2]), insertAxes(weights, [0])], [3]);
  const result = reshaped(context, removeAxes(sum, [3]), [batch, outputs]);
  if (result === undefined) {
    algebra.fix(sum);
    return undefined;
  }
  const bias = context.inputs[2];
  const biased = bias === undefined ? result : algebra.add([result, bias], [batch, outputs]);
  return [{ shape: outputShape(context), fields: biased.fields }];
};

/** Replaces spatial extents by 1, as no field lies on them. */
function flatten(shape: readonly number[]): number[] {
  return shape.map((extent, axis) => (axis < 2 ? extent : 1));
}

/** Follows a norm: its input must not change, and its scale and offset give the result its factors. */
function scaled(context: FactorContext, vectors: readonly (Labelled | undefined)[], axis?: number): Labelled {
  const { algebra } = context;
  const shape = outputShape(context);
  const placed = vectors.map((vector) => {
    if (vector === undefined || axis === undefined) return vector;
    const after = Array.from({ length: shape.length - axis - 1 }, (_, i) => i + axis + 1);
    return insertAxes(vector, [...Array.from({ length: axis }, (_, i) => i), ...after]);
  });
  const plain = { shape, fields: [] };
  const [scale, offset] = placed;
  const times = scale === undefined ? plain : algebra.multiply([plain, scale], shape);
  return offset === undefined ? times : algebra.add([times, offset], shape);
}

/**
 * Follows `BatchNormalization` and `InstanceNormalization`: the epsilon beside the variance allows no scale
 * before it.
 */
const channelNorm: FactorRule = (context) => {
  const [x, scale, offset, ...statistics] = context.inputs;
  for (const tensor of [x, ...statistics]) if (tensor !== undefined) context.algebra.fix(tensor);
  return [scaled(context, [scale, offset], 1)];
};

/** Follows `LayerNormalization` and `RMSNormalization` along the last axes. */
const layerNorm: FactorRule = (context) => {
  const [x, scale, offset] = context.inputs;
  if (x !== undefined) context.algebra.fix(x);
  return [scaled(context, [scale, offset])];
};

/** Follows a power: an even one loses the sign; any other, and any scale, is not followed. */
const power: FactorRule = (context) => {
  const isEven = constantNumbers(context, 1)?.every((exponent) => exponent % 2 === 0) ?? false;
  return context.algebra.kind === "sign" && isEven
    ? [{ shape: outputShape(context), fields: [] }]
    : undefined;
};

/** Follows even functions, which lose the sign. */
const even: FactorRule = (context) =>
  context.algebra.kind === "sign" ? [{ shape: outputShape(context), fields: [] }] : undefined;

/**
 * Follows `ScatterND` of zeros to constant places, for example when the part of a bias for keys is set to
 * zero: a zero stays zero times any factor, and no cell has both units that become zero and others.
 */
const scatterZeros: FactorRule = (context) => {
  const replaces = stringAttribute(context.node, "reduction", "none") === "none";
  const isZero = constantNumbers(context, 2)?.every((value) => value === 0) ?? false;
  return replaces && isZero && !isComputed(context, 1) ? [inputOf(context, 0)] : undefined;
};

/** Splits a list of names. */
const words = (list: string): string[] => list.split(" ");

/** Rules of factors by operator; operators without a rule demand that their inputs do not change. */
export const FACTOR_RULES: ReadonlyMap<string, FactorRule> = new Map<string, FactorRule>([
  ...words("Identity Neg Dropout").map((op) => [op, pass] as const),
  ...words("Relu LeakyRelu PRelu").map((op) => [op, only(["scale"], pass)] as const),
  ...words("Tanh Erf Sin Tan Asin Atan Sinh Asinh Atanh Softsign").map(
    (op) => [op, only(["sign"], pass)] as const,
  ),
  ["Abs", (context) => (context.algebra.kind === "scale" ? pass(context) : even(context))],
  ["Cos", even],
  ["Cosh", even],
  ["Pow", power],
  ["Add", add],
  ["Sub", add],
  ["Sum", add],
  ["Mean", add],
  ["Max", only(["scale"], add)],
  ["Min", only(["scale"], add)],
  ["Mul", product(false)],
  ["Div", product(true)],
  ["MatMul", matMul],
  ["Gemm", gemm],
  ["Conv", convolution],
  ["BatchNormalization", channelNorm],
  ["InstanceNormalization", channelNorm],
  ["LayerNormalization", layerNorm],
  ["RMSNormalization", layerNorm],
  ["GlobalAveragePool", windowFactors],
  ["AveragePool", windowFactors],
  ["GlobalMaxPool", only(["scale"], windowFactors)],
  ["MaxPool", only(["scale"], windowFactors)],
  ["Resize", windowFactors],
  ["Upsample", windowFactors],
  ["ReduceSum", sumFactors],
  ["ReduceMean", sumFactors],
  ["ReduceMax", only(["scale"], sumFactors)],
  ["ReduceMin", only(["scale"], sumFactors)],
  ["Concat", concatenateFactors],
  ["Pad", padFactors],
  ["ScatterND", scatterZeros],
  ...[...MOVEMENT_RULES].map(([op, rule]) => [op, moving(rule)] as const),
  ["Gather", gathering(gather)],
  ["DepthToSpace", moving(depthToSpace)],
  ["SpaceToDepth", moving(spaceToDepth)],
]);
