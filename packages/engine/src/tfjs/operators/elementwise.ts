import { floatAttribute, intAttribute } from "@isthmus/graph/ir";
import { type OperatorContext, operand, same, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

type Unary = (tf: Tfjs, x: TfTensor) => TfTensor;
type Binary = (tf: Tfjs, x: TfTensor, y: TfTensor) => TfTensor;

const unary = (apply: Unary): TfjsOperator => same((context) => apply(context.tf, operand(context, 0)));
const binary = (apply: Binary): TfjsOperator =>
  same((context) => apply(context.tf, operand(context, 0), operand(context, 1)));

/** Creates the operator that combines any number of operands, one after the other. */
const fold = (apply: Binary): TfjsOperator =>
  same((context) => {
    const rest = context.inputs.slice(1).map((_, i) => operand(context, i + 1));
    return rest.reduce((total, next) => apply(context.tf, total, next), operand(context, 0));
  });

/**
 * Computes quotients; quotients of integers are rounded
 * towards zero as in C, while TensorFlow.js rounds down.
 */
const divide: Binary = (tf, x, y) => {
  if (x.dtype === "float32") return tf.div(x, y);
  const below = tf.floorDiv(x, y);
  const isInexact = tf.notEqual(tf.mul(below, y), x);
  const isNegative = tf.notEqual(tf.less(x, 0), tf.less(y, 0));
  return tf.add(below, tf.cast(tf.logicalAnd(isInexact, isNegative), "int32"));
};

/** Computes remainders with the sign of the divisor or, with `fmod`, of the dividend. */
function remainder(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const [x, y] = [operand(context, 0), operand(context, 1)];
  if (intAttribute(node, "fmod", 0) === 0) return tf.mod(x, y);
  if (x.dtype !== "float32") return tf.sub(x, tf.mul(divide(tf, x, y), y));
  return tf.mul(tf.sign(x), tf.mod(tf.abs(x), tf.abs(y)));
}

/** Computes the mean of any number of operands. */
function mean(context: OperatorContext): TfTensor {
  const { tf, inputs } = context;
  const rest = inputs.slice(1).map((_, i) => operand(context, i + 1));
  return tf.div(
    rest.reduce((sum, next) => tf.add(sum, next), operand(context, 0)),
    inputs.length,
  );
}

/** Clamps elements to bounds; these are operands from operator set 11 on, and attributes before. */
function clip(context: OperatorContext): TfTensor {
  const { tf, inputs } = context;
  const x = operand(context, 0);
  const low = inputs[1]?.tensor ?? boundOf(context, "min", Number.NEGATIVE_INFINITY);
  const high = inputs[2]?.tensor ?? boundOf(context, "max", Number.POSITIVE_INFINITY);
  return tf.minimum(tf.maximum(x, low), high);
}

function boundOf({ tf, node, inputs }: OperatorContext, name: string, fallback: number): TfTensor {
  const bound = floatAttribute(node, name, fallback);
  if (inputs[0]?.tensor.dtype !== "int32") return tf.scalar(bound);
  return tf.scalar(Math.min(Math.max(bound, -(2 ** 31)), 2 ** 31 - 1), "int32");
}

/** Computes signs, also of integers, for which the WebAssembly backend has no kernel. */
const sign: Unary = (tf, x) =>
  x.dtype === "float32"
    ? tf.sign(x)
    : tf.sub(tf.cast(tf.greater(x, 0), "int32"), tf.cast(tf.less(x, 0), "int32"));

/** Arithmetic, element by element, with operands broadcast. */
export const ELEMENTWISE: Readonly<Record<string, TfjsOperator>> = {
  Add: binary((tf, x, y) => tf.add(x, y)),
  Sub: binary((tf, x, y) => tf.sub(x, y)),
  Mul: binary((tf, x, y) => tf.mul(x, y)),
  Div: binary(divide),
  Mod: same(remainder),
  Pow: binary((tf, x, y) => tf.pow(x, tf.cast(y, x.dtype))),
  Max: fold((tf, x, y) => tf.maximum(x, y)),
  Min: fold((tf, x, y) => tf.minimum(x, y)),
  Sum: fold((tf, x, y) => tf.add(x, y)),
  Mean: same(mean),
  Neg: unary((tf, x) => (x.dtype === "float32" ? tf.neg(x) : tf.sub(tf.scalar(0, "int32"), x))),
  Abs: unary((tf, x) => (x.dtype === "float32" ? tf.abs(x) : tf.mul(x, sign(tf, x)))),
  Sign: unary(sign),
  Exp: unary((tf, x) => tf.exp(x)),
  Log: unary((tf, x) => tf.log(x)),
  Sqrt: unary((tf, x) => tf.sqrt(x)),
  Reciprocal: unary((tf, x) => tf.reciprocal(x)),
  Floor: unary((tf, x) => tf.floor(x)),
  Ceil: unary((tf, x) => tf.ceil(x)),
  Round: unary((tf, x) => tf.round(x)),
  Sin: unary((tf, x) => tf.sin(x)),
  Cos: unary((tf, x) => tf.cos(x)),
  Tan: unary((tf, x) => tf.tan(x)),
  Asin: unary((tf, x) => tf.asin(x)),
  Acos: unary((tf, x) => tf.acos(x)),
  Atan: unary((tf, x) => tf.atan(x)),
  Sinh: unary((tf, x) => tf.sinh(x)),
  Cosh: unary((tf, x) => tf.cosh(x)),
  Erf: unary((tf, x) => tf.erf(x)),
  Clip: same(clip),
  Identity: unary((_, x) => x),
};
