/**
 * Operators that compute each element of their result from the corresponding elements of their inputs,
 * with broadcasting.
 */
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

/** Operators that combine the elements along some axes in a way that does not depend on their order. */
export const REDUCTION_OPERATORS: readonly string[] =
  "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare".split(
    " ",
  );
