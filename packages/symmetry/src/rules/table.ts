import { ELEMENT_WISE_OPERATORS, REDUCTION_OPERATORS } from "@isthmus/graph/ir";
import { tie } from "../primitives/tie.ts";
import { convolution, convTranspose } from "./convolution.ts";
import { einsum, gemm, matMul } from "./matrix-product.ts";
import { concatenation, depthToSpace, gather, gatherNd, pad, spaceToDepth } from "./movement.ts";
import { MOVEMENT_RULES } from "./movement-rules.ts";
import {
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  meanVarianceNormalization,
  softmax,
} from "./normalization.ts";
import { cumulativeSum, gatherElements, topK, triangle } from "./ordered.ts";
import { recurrence } from "./recurrence.ts";
import { argReduction, globalPool, reduction, windowed } from "./reduction.ts";
import { givenInputs, inputOf, type Rule } from "./rule.ts";
import { scatterNd } from "./scatter.ts";

/**
 * Follows functions of corresponding elements, with broadcasting: activations, arithmetic, comparisons,
 * selections.
 */
const elementWise: Rule = (context) => [tie(context.store, givenInputs(context))];

/** Follows `CastLike`: the first input in the element type of the second, whose values are not read. */
const castLike: Rule = (context) => [tie(context.store, [inputOf(context, 0)])];

/** Follows dropout in evaluation: its input, and a mask of ones of the same shape. */
const dropout: Rule = (context) => {
  const result = tie(context.store, [inputOf(context, 0)]);
  return [result, result];
};

/**
 * Rules by operator of ONNX's standard set. Operators without a rule freeze the labels that they read and
 * compute.
 */
export const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...ELEMENT_WISE_OPERATORS.map((op) => [op, elementWise] as const),
  ...REDUCTION_OPERATORS.map((op) => [op, reduction] as const),
  ["CastLike", castLike],
  ["Dropout", dropout],
  ["MatMul", matMul],
  ["Gemm", gemm],
  ["Einsum", einsum],
  ["Conv", convolution],
  ["ConvTranspose", convTranspose],
  ["BatchNormalization", batchNormalization],
  ["InstanceNormalization", instanceNormalization],
  ["LayerNormalization", layerNormalization],
  ["RMSNormalization", layerNormalization],
  ["GroupNormalization", groupNormalization],
  ["MeanVarianceNormalization", meanVarianceNormalization],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["LpNormalization", softmax],
  ["GlobalAveragePool", globalPool],
  ["GlobalMaxPool", globalPool],
  ["GlobalLpPool", globalPool],
  ["ArgMax", argReduction],
  ["ArgMin", argReduction],
  ["MaxPool", windowed],
  ["AveragePool", windowed],
  ["LpPool", windowed],
  ["Resize", windowed],
  ["Upsample", windowed],
  ...MOVEMENT_RULES,
  ["Gather", gather],
  ["GatherND", gatherNd],
  ["Concat", concatenation],
  ["Pad", pad],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", spaceToDepth],
  ["ScatterND", scatterNd],
  ["CumSum", cumulativeSum],
  ["TopK", topK],
  ["Trilu", triangle],
  ["RNN", recurrence],
  ["GRU", recurrence],
  ["LSTM", recurrence],
  ["GatherElements", gatherElements],
]);
