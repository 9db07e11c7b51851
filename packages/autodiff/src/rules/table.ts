import type { GradientRule } from "../gradient-rule.ts";
import { ACTIVATION_RULES } from "./activation.ts";
import { BATCH_NORMALIZATION_RULES } from "./batch-normalization.ts";
import { CONVOLUTION_RULES } from "./convolution.ts";
import { ELEMENTWISE_RULES } from "./elementwise.ts";
import { GATHER_SCATTER_RULES } from "./gather-scatter.ts";
import { LAYOUT_RULES } from "./layout.ts";
import { NORMALIZATION_RULES } from "./normalization.ts";
import { POOLING_RULES } from "./pooling.ts";
import { PRODUCT_RULES } from "./products.ts";
import { REDUCTION_RULES } from "./reduction.ts";
import { RESIZE_RULES } from "./resize.ts";
import { SLICE_PAD_RULES } from "./slice-pad.ts";

/** Operators whose results are whole numbers, truth values, shapes or piecewise constant. */
const STOPS =
  "Shape Size Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf ArgMax ArgMin Mod NonZero Sign Floor Ceil Round Range ConstantOfShape Constant OneHot EyeLike";

/**
 * Passes no gradient: the rule of operators whose results do not change smoothly with their operands, or
 * depend on nothing but the shapes of the operands.
 */
export const stopRule: GradientRule = ({ inputs }) => inputs.map(() => undefined);

/** Gradient rule of every operator that has one, by its name in ONNX. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map<string, GradientRule>([
  ...Object.entries({
    ...ELEMENTWISE_RULES,
    ...ACTIVATION_RULES,
    ...PRODUCT_RULES,
    ...CONVOLUTION_RULES,
    ...POOLING_RULES,
    ...NORMALIZATION_RULES,
    ...BATCH_NORMALIZATION_RULES,
    ...REDUCTION_RULES,
    ...LAYOUT_RULES,
    ...RESIZE_RULES,
    ...SLICE_PAD_RULES,
    ...GATHER_SCATTER_RULES,
  }),
  ...STOPS.split(" ").map((op): [string, GradientRule] => [op, stopRule]),
]);
