import type { GradientRule } from "../gradient-rule.ts";
import { addRule } from "./add.ts";
import { mulRule } from "./mul.ts";
import { reluRule } from "./relu.ts";
import { stopRule } from "./stop.ts";

/** Operators whose results are whole numbers, truth values, shapes or piecewise constant. */
const STOPS =
  "Shape Size Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf ArgMax ArgMin NonZero Sign Floor Ceil Round Range ConstantOfShape Constant OneHot EyeLike";

/** Gradient rule of every operator that has one, by its name in ONNX. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map<string, GradientRule>([
  ["Add", addRule],
  ["Mul", mulRule],
  ["Relu", reluRule],
  ...STOPS.split(" ").map((op): [string, GradientRule] => [op, stopRule]),
]);
