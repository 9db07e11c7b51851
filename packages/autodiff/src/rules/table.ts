import type { GradientRule } from "../gradient-rule.ts";
import { addRule } from "./add.ts";
import { averagePoolRule } from "./average-pool.ts";
import { batchNormalizationRule } from "./batch-normalization.ts";
import { castRule } from "./cast.ts";
import { clipRule } from "./clip.ts";
import { concatRule } from "./concat.ts";
import { convRule } from "./conv.ts";
import { convTransposeRule } from "./conv-transpose.ts";
import { cumSumRule } from "./cum-sum.ts";
import { divRule } from "./div.ts";
import { dropoutRule } from "./dropout.ts";
import { einsumRule } from "./einsum.ts";
import { celuRule, eluRule, seluRule } from "./elu.ts";
import { expandRule } from "./expand.ts";
import { extremumRule } from "./extremum.ts";
import { gatherRule } from "./gather.ts";
import { gatherElementsRule } from "./gather-elements.ts";
import { gatherNDRule } from "./gather-nd.ts";
import { geluRule } from "./gelu.ts";
import { gemmRule } from "./gemm.ts";
import { globalAveragePoolRule } from "./global-average-pool.ts";
import { globalMaxPoolRule } from "./global-max-pool.ts";
import { groupNormalizationRule, instanceNormalizationRule } from "./group-normalization.ts";
import { hardSigmoidRule } from "./hard-sigmoid.ts";
import { hardSwishRule } from "./hard-swish.ts";
import { identityRule } from "./identity.ts";
import { layerNormalizationRule } from "./layer-normalization.ts";
import { leakyReluRule } from "./leaky-relu.ts";
import { lpNormalizationRule } from "./lp-normalization.ts";
import { matMulRule } from "./mat-mul.ts";
import { maxPoolRule } from "./max-pool.ts";
import { meanRule } from "./mean.ts";
import { mishRule } from "./mish.ts";
import { mulRule } from "./mul.ts";
import { pReluRule } from "./p-relu.ts";
import { padRule } from "./pad.ts";
import { POINTWISE_RULES } from "./pointwise.ts";
import { powRule } from "./pow.ts";
import { reduceExtremumRule } from "./reduce-extremum.ts";
import { reduceLogSumExpRule, reduceLogSumRule } from "./reduce-log-sum.ts";
import { reduceMeanRule } from "./reduce-mean.ts";
import { reduceL1Rule, reduceL2Rule, reduceSumSquareRule } from "./reduce-norm.ts";
import { reduceProdRule } from "./reduce-prod.ts";
import { reduceSumRule } from "./reduce-sum.ts";
import { reluRule } from "./relu.ts";
import { reshapeRule } from "./reshape.ts";
import { rmsNormalizationRule } from "./rms-normalization.ts";
import { scatterElementsRule } from "./scatter-elements.ts";
import { scatterNDRule } from "./scatter-nd.ts";
import { sliceRule } from "./slice.ts";
import { logSoftmaxRule, softmaxRule } from "./softmax.ts";
import { depthToSpaceRule, spaceToDepthRule } from "./space-depth.ts";
import { splitRule } from "./split.ts";
import { stopRule } from "./stop.ts";
import { subRule } from "./sub.ts";
import { swishRule } from "./swish.ts";
import { thresholdedReluRule } from "./thresholded-relu.ts";
import { tileRule } from "./tile.ts";
import { topKRule } from "./top-k.ts";
import { transposeRule } from "./transpose.ts";
import { triluRule } from "./trilu.ts";
import { whereRule } from "./where.ts";

/** Operators whose results are whole numbers, truth values, shapes or piecewise constant. */
const STOPS =
  "Shape Size Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf ArgMax ArgMin Mod NonZero Sign Floor Ceil Round Range ConstantOfShape Constant OneHot EyeLike";

/** Gradient rule of every operator that has one, by its name in ONNX. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map<string, GradientRule>([
  ["Add", addRule],
  ["AveragePool", averagePoolRule],
  ["BatchNormalization", batchNormalizationRule],
  ["Cast", castRule],
  ["CastLike", castRule],
  ["Celu", celuRule],
  ["Clip", clipRule],
  ["Concat", concatRule],
  ["Conv", convRule],
  ["ConvTranspose", convTransposeRule],
  ["CumSum", cumSumRule],
  ["DepthToSpace", depthToSpaceRule],
  ["Div", divRule],
  ["Dropout", dropoutRule],
  ["Einsum", einsumRule],
  ["Elu", eluRule],
  ["Expand", expandRule],
  ["Flatten", reshapeRule],
  ["Gather", gatherRule],
  ["GatherElements", gatherElementsRule],
  ["GatherND", gatherNDRule],
  ["Gelu", geluRule],
  ["Gemm", gemmRule],
  ["GroupNormalization", groupNormalizationRule],
  ["GlobalAveragePool", globalAveragePoolRule],
  ["GlobalMaxPool", globalMaxPoolRule],
  ["HardSigmoid", hardSigmoidRule],
  ["HardSwish", hardSwishRule],
  ["Identity", identityRule],
  ["InstanceNormalization", instanceNormalizationRule],
  ["LayerNormalization", layerNormalizationRule],
  ["LeakyRelu", leakyReluRule],
  ["LogSoftmax", logSoftmaxRule],
  ["LpNormalization", lpNormalizationRule],
  ["MatMul", matMulRule],
  ["Max", extremumRule],
  ["MaxPool", maxPoolRule],
  ["Mean", meanRule],
  ["Min", extremumRule],
  ["Mish", mishRule],
  ["Mul", mulRule],
  ["PRelu", pReluRule],
  ["Pad", padRule],
  ["Pow", powRule],
  ["RMSNormalization", rmsNormalizationRule],
  ["ReduceL1", reduceL1Rule],
  ["ReduceL2", reduceL2Rule],
  ["ReduceLogSum", reduceLogSumRule],
  ["ReduceLogSumExp", reduceLogSumExpRule],
  ["ReduceMax", reduceExtremumRule],
  ["ReduceMean", reduceMeanRule],
  ["ReduceMin", reduceExtremumRule],
  ["ReduceProd", reduceProdRule],
  ["ReduceSum", reduceSumRule],
  ["ReduceSumSquare", reduceSumSquareRule],
  ["Relu", reluRule],
  ["Reshape", reshapeRule],
  ["ScatterElements", scatterElementsRule],
  ["ScatterND", scatterNDRule],
  ["Selu", seluRule],
  ["Slice", sliceRule],
  ["Softmax", softmaxRule],
  ["SpaceToDepth", spaceToDepthRule],
  ["Split", splitRule],
  ["Squeeze", reshapeRule],
  ["Sub", subRule],
  ["Sum", addRule],
  ["Swish", swishRule],
  ["ThresholdedRelu", thresholdedReluRule],
  ["Tile", tileRule],
  ["TopK", topKRule],
  ["Transpose", transposeRule],
  ["Trilu", triluRule],
  ["Unsqueeze", reshapeRule],
  ["Where", whereRule],
  ...POINTWISE_RULES,
  ...STOPS.split(" ").map((op): [string, GradientRule] => [op, stopRule]),
]);
