import { sizeOf } from "@isthmus/core";
import { floatAttribute, intAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import { type OperatorContext, operand, same, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/** Factors of SELU (Klambauer et al. 2017), as ONNX writes them. */
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

const unary = (apply: (tf: Tfjs, x: TfTensor) => TfTensor): TfjsOperator =>
  same((context) => apply(context.tf, operand(context, 0)));

/** Creates the operator of a function of one operand and a factor; the factor is an attribute. */
const scaled = (
  fallback: number,
  apply: (tf: Tfjs, x: TfTensor, alpha: number) => TfTensor,
  name = "alpha",
): TfjsOperator =>
  same((context) => apply(context.tf, operand(context, 0), floatAttribute(context.node, name, fallback)));

const hardSigmoid = (tf: Tfjs, x: TfTensor, alpha: number, beta: number): TfTensor =>
  tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);

function gelu(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const inner =
    stringAttribute(node, "approximate", "none") === "tanh"
      ? tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.mul(x, x))))))
      : tf.erf(tf.mul(x, Math.SQRT1_2));
  return tf.mul(tf.mul(x, 0.5), tf.add(inner, 1));
}

/** Computes the exponential linear unit: `gamma x` if `x` is positive, else `gamma alpha (exp(x) - 1)`. */
function exponentialUnit(tf: Tfjs, x: TfTensor, alpha: number, gamma = 1): TfTensor {
  const negative = tf.mul(tf.sub(tf.exp(tf.minimum(x, 0)), 1), alpha);
  return tf.mul(tf.add(tf.relu(x), negative), gamma);
}

/**
 * Creates the operator that applies a function of the last axis to the axis of the node or, before operator
 * set 13, to this axis and all further axes as one.
 */
function alongAxis(apply: (tf: Tfjs, x: TfTensor) => TfTensor): TfjsOperator {
  return same((context) => {
    const { tf, node, opset } = context;
    const x = operand(context, 0);
    const axis = wrapAxis(intAttribute(node, "axis", opset < 13 ? 1 : -1), x.rank);
    if (opset < 13) {
      const rows = sizeOf(x.shape.slice(0, axis));
      return tf.reshape(apply(tf, tf.reshape(x, [rows, x.size / Math.max(1, rows)])), x.shape);
    }
    if (axis === x.rank - 1) return apply(tf, x);
    const order = [...x.shape.keys()].filter((other) => other !== axis);
    const inverse = x.shape.map((_, i) => (i === axis ? x.rank - 1 : i < axis ? i : i - 1));
    return tf.transpose(apply(tf, tf.transpose(x, [...order, axis])), inverse);
  });
}

/** Activation functions and softmaxes. */
export const ACTIVATION: Readonly<Record<string, TfjsOperator>> = {
  Relu: unary((tf, x) => tf.relu(x)),
  Sigmoid: unary((tf, x) => tf.sigmoid(x)),
  Tanh: unary((tf, x) => tf.tanh(x)),
  Gelu: same(gelu),
  HardSwish: unary((tf, x) => tf.mul(x, hardSigmoid(tf, x, 1 / 6, 0.5))),
  HardSigmoid: same((context) =>
    hardSigmoid(
      context.tf,
      operand(context, 0),
      floatAttribute(context.node, "alpha", 0.2),
      floatAttribute(context.node, "beta", 0.5),
    ),
  ),
  Swish: scaled(1, (tf, x, alpha) => tf.mul(x, tf.sigmoid(tf.mul(x, alpha)))),
  Mish: unary((tf, x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  LeakyRelu: scaled(0.01, (tf, x, alpha) => tf.leakyRelu(x, alpha)),
  PRelu: same((context) => {
    const { tf } = context;
    const x = operand(context, 0);
    return tf.add(tf.relu(x), tf.mul(tf.minimum(x, 0), operand(context, 1)));
  }),
  ThresholdedRelu: scaled(1, (tf, x, alpha) => tf.where(tf.greater(x, alpha), x, tf.zerosLike(x))),
  Elu: scaled(1, (tf, x, alpha) => exponentialUnit(tf, x, alpha)),
  Celu: scaled(1, (tf, x, alpha) =>
    tf.add(tf.relu(x), tf.mul(tf.sub(tf.exp(tf.div(tf.minimum(x, 0), alpha)), 1), alpha)),
  ),
  Selu: same((context) =>
    exponentialUnit(
      context.tf,
      operand(context, 0),
      floatAttribute(context.node, "alpha", SELU.alpha),
      floatAttribute(context.node, "gamma", SELU.gamma),
    ),
  ),
  Softplus: unary((tf, x) => tf.softplus(x)),
  Softsign: unary((tf, x) => tf.div(x, tf.add(tf.abs(x), 1))),
  Softmax: alongAxis((tf, x) => tf.softmax(x)),
  LogSoftmax: alongAxis((tf, x) => tf.logSoftmax(x)),
};
