import type { GradientRule } from "../gradient-rule.ts";
import { addRule } from "./add.ts";
import { castRule } from "./cast.ts";
import { clipRule } from "./clip.ts";
import { convRule } from "./conv.ts";
import { convTransposeRule } from "./conv-transpose.ts";
import { divRule } from "./div.ts";
import { expandRule } from "./expand.ts";
import { extremumRule } from "./extremum.ts";
import { gemmRule } from "./gemm.ts";
import { identityRule } from "./identity.ts";
import { matMulRule } from "./mat-mul.ts";
import { meanRule } from "./mean.ts";
import { mulRule } from "./mul.ts";
import { powRule } from "./pow.ts";
import { reduceExtremumRule } from "./reduce-extremum.ts";
import { reduceLogSumExpRule, reduceLogSumRule } from "./reduce-log-sum.ts";
import { reduceMeanRule } from "./reduce-mean.ts";
import { reduceL1Rule, reduceL2Rule, reduceSumSquareRule } from "./reduce-norm.ts";
import { reduceProdRule } from "./reduce-prod.ts";
import { reduceSumRule } from "./reduce-sum.ts";
import { reluRule } from "./relu.ts";
import { reshapeRule } from "./reshape.ts";
import { stopRule } from "./stop.ts";
import { subRule } from "./sub.ts";
import { transposeRule } from "./transpose.ts";
import { whereRule } from "./where.ts";

/** Operators whose results are whole numbers, truth values, shapes or piecewise constant. */
const STOPS =
  "Shape Size Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf ArgMax ArgMin NonZero Sign Floor Ceil Round Range ConstantOfShape Constant OneHot EyeLike";

/** Gradient rule of every operator that has one, by its name in ONNX. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map<string, GradientRule>([
  ["Add", addRule],
  ["Mul", mulRule],
  ["Relu", reluRule],
  ["Cast", castRule],
  ["Clip", clipRule],
  ["Conv", convRule],
  ["ConvTranspose", convTransposeRule],
  ["Div", divRule],
  ["Expand", expandRule],
  ["Flatten", reshapeRule],
  ["Gemm", gemmRule],
  ["Identity", identityRule],
  ["MatMul", matMulRule],
  ["Max", extremumRule],
  ["Mean", meanRule],
  ["Min", extremumRule],
  ["Pow", powRule],
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
  ["Reshape", reshapeRule],
  ["Squeeze", reshapeRule],
  ["Sub", subRule],
  ["Sum", addRule],
  ["Transpose", transposeRule],
  ["Unsqueeze", reshapeRule],
  ["Where", whereRule],
  ...STOPS.split(" ").map((op): [string, GradientRule] => [op, stopRule]),
]);
