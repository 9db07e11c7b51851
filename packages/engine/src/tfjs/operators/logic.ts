import { type OperatorContext, operand, operandType, type TfjsOperator, typed } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

type Compare = (tf: Tfjs, x: TfTensor, y: TfTensor) => TfTensor;

const compare = (apply: Compare): TfjsOperator =>
  typed("bool", (context) => apply(context.tf, operand(context, 0), operand(context, 1)));

/** Converts truth values to integers, which every backend can compare. */
const asNumber = (tf: Tfjs, x: TfTensor): TfTensor => (x.dtype === "bool" ? tf.cast(x, "int32") : x);

/**
 * Selects `x` where a condition holds, else `y`; truth values are selected by logic, since not every backend
 * can select them.
 */
function where(context: OperatorContext): TfTensor {
  const { tf } = context;
  const [condition, x, y] = [operand(context, 0), operand(context, 1), operand(context, 2)];
  if (x.dtype !== "bool") return tf.where(condition, x, y);
  return tf.logicalOr(tf.logicalAnd(condition, x), tf.logicalAnd(tf.logicalNot(condition), y));
}

/** Finds infinities of both signs, or of the sign that attributes select. */
function isInfinite(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const isDetected = (name: string) =>
    (node.attributes.get(name) as { value?: unknown } | undefined)?.value !== 0;
  const negative = tf.equal(x, Number.NEGATIVE_INFINITY);
  const positive = tf.equal(x, Number.POSITIVE_INFINITY);
  if (!isDetected("detect_negative")) return positive;
  return isDetected("detect_positive") ? tf.logicalOr(negative, positive) : negative;
}

/** Comparisons, truth values and selection. */
export const LOGIC: Readonly<Record<string, TfjsOperator>> = {
  Equal: compare((tf, x, y) => tf.equal(asNumber(tf, x), asNumber(tf, y))),
  Greater: compare((tf, x, y) => tf.greater(x, y)),
  GreaterOrEqual: compare((tf, x, y) => tf.greaterEqual(x, y)),
  Less: compare((tf, x, y) => tf.less(x, y)),
  LessOrEqual: compare((tf, x, y) => tf.lessEqual(x, y)),
  And: compare((tf, x, y) => tf.logicalAnd(x, y)),
  Or: compare((tf, x, y) => tf.logicalOr(x, y)),
  Xor: compare((tf, x, y) => tf.notEqual(asNumber(tf, x), asNumber(tf, y))),
  Not: typed("bool", (context) => context.tf.logicalNot(operand(context, 0))),
  IsNaN: typed("bool", (context) => context.tf.isNaN(operand(context, 0))),
  IsInf: typed("bool", isInfinite),
  Where: { compute: where, types: (context) => [operandType(context, 1)] },
};
