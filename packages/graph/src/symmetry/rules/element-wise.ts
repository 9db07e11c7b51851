import { tie } from "../primitives/tie.ts";
import { givenInputs, inputOf, type Rule } from "./rule.ts";

/** Functions of corresponding elements, with broadcasting: activations, arithmetic, comparisons, selections. */
export const elementWise: Rule = (context) => [tie(context.store, givenInputs(context))];

/** Operators covered by {@link elementWise}. */
export const ELEMENT_WISE_OPERATORS: readonly string[] = [
  ..."Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Clip Cos Cosh Elu Erf Exp Floor".split(
    " ",
  ),
  ..."Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu".split(
    " ",
  ),
  ..."Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu Swish".split(" "),
  ..."Add Sub Mul Div Mod Pow And Or Xor BitShift BitwiseAnd BitwiseOr BitwiseXor Equal Greater".split(" "),
  ..."GreaterOrEqual Less LessOrEqual Max Min Mean Sum PRelu Where".split(" "),
];

/** `CastLike`: the first input in the element type of the second, whose values are not read. */
export const castLike: Rule = (context) => [tie(context.store, [inputOf(context, 0)])];

/** Dropout in evaluation: its input, and a mask of ones shaped alike. */
export const dropout: Rule = (context) => {
  const result = tie(context.store, [inputOf(context, 0)]);
  return [result, result];
};
