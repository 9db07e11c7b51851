import { floatAttribute, intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { type OperatorContext, operand, same, sameThen, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

/** Reshapes `[channels]` to lie along the second axis of a tensor of a rank. */
const alongChannels = (tf: Tfjs, x: TfTensor, rank: number): TfTensor =>
  tf.reshape(x, [1, x.size, ...Array<number>(Math.max(0, rank - 2)).fill(1)]);

/** Computes `(x - mean) / sqrt(variance + epsilon)` over axes, and the statistics. */
function standardize(
  tf: Tfjs,
  x: TfTensor,
  { axes, epsilon }: { readonly axes: number[]; readonly epsilon: number },
): { y: TfTensor; mean: TfTensor; inverse: TfTensor; variance: TfTensor } {
  const mean = tf.mean(x, axes, true);
  const centred = tf.sub(x, mean);
  const variance = tf.mean(tf.mul(centred, centred), axes, true);
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  return { y: tf.mul(centred, inverse), mean, inverse, variance };
}

/**
 * Normalises by statistics of the batch in training, and then updates the running statistics; otherwise
 * normalises by the running statistics.
 */
function batchNorm(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => operand(context, i)) as [
    TfTensor,
    TfTensor,
    TfTensor,
    TfTensor,
  ];
  const epsilon = floatAttribute(node, "epsilon", 1e-5);
  const wide = (channels: TfTensor) => alongChannels(tf, channels, x.rank);
  const affine = (y: TfTensor) => tf.add(tf.mul(y, wide(scale)), wide(bias));
  if (intAttribute(node, "training_mode", 0) === 0) {
    return [affine(tf.mul(tf.sub(x, wide(mean)), tf.rsqrt(tf.add(wide(variance), epsilon))))];
  }
  const axes = [...x.shape.keys()].filter((axis) => axis !== 1);
  const batch = standardize(tf, x, { axes, epsilon });
  const momentum = floatAttribute(node, "momentum", 0.9);
  const move = (running: TfTensor, current: TfTensor) =>
    tf.add(tf.mul(running, momentum), tf.mul(tf.reshape(current, running.shape), 1 - momentum));
  return [affine(batch.y), move(mean, batch.mean), move(variance, batch.variance)];
}

/**
 * Normalises over all axes from one on; the second and third results are the mean and the inverse deviation.
 */
function layerNorm(context: OperatorContext): TfTensor[] {
  const { tf, node, inputs } = context;
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(node, "axis", -1), x.rank);
  const axes = [...x.shape.keys()].slice(axis);
  const { y, mean, inverse } = standardize(tf, x, { axes, epsilon: floatAttribute(node, "epsilon", 1e-5) });
  const scaled = tf.mul(y, operand(context, 1));
  const bias = inputs[2]?.tensor;
  return [bias === undefined ? scaled : tf.add(scaled, bias), mean, inverse];
}

function rmsNorm(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const axes = [...x.shape.keys()].slice(wrapAxis(intAttribute(node, "axis", -1), x.rank));
  const square = tf.mean(tf.mul(x, x), axes, true);
  const y = tf.mul(x, tf.rsqrt(tf.add(square, floatAttribute(node, "epsilon", 1e-5))));
  return tf.mul(y, operand(context, 1));
}

/**
 * Normalises groups of channels of an example; scale and shift belong to channels, before operator set 21 to
 * groups.
 */
function groupNorm(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [batch, channels] = x.shape as [number, number];
  const groups = intAttribute(node, "num_groups", 1);
  const grouped = tf.reshape(x, [batch, groups, x.size / Math.max(1, batch * groups)]);
  const { y } = standardize(tf, grouped, { axes: [2], epsilon: floatAttribute(node, "epsilon", 1e-5) });
  const perChannel = (factors: TfTensor): TfTensor => {
    if (factors.size === channels) return alongChannels(tf, factors, x.rank);
    const repeated = tf.tile(tf.reshape(factors, [groups, 1]), [1, channels / groups]);
    return alongChannels(tf, repeated, x.rank);
  };
  const normalized = tf.reshape(y, x.shape);
  return tf.add(tf.mul(normalized, perChannel(operand(context, 1))), perChannel(operand(context, 2)));
}

function instanceNorm(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const axes = [...x.shape.keys()].slice(2);
  const { y } = standardize(tf, x, { axes, epsilon: floatAttribute(node, "epsilon", 1e-5) });
  const wide = (channels: TfTensor) => alongChannels(tf, channels, x.rank);
  return tf.add(tf.mul(y, wide(operand(context, 1))), wide(operand(context, 2)));
}

/** Divides by the length along an axis, the sum of magnitudes or the root of the sum of squares. */
function lpNorm(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const axes = [wrapAxis(intAttribute(node, "axis", -1), x.rank)];
  const isSum = intAttribute(node, "p", 2) === 1;
  const length = isSum ? tf.sum(tf.abs(x), axes, true) : tf.sqrt(tf.sum(tf.mul(x, x), axes, true));
  return tf.div(x, length);
}

/** Norms. */
export const NORMALIZATION: Readonly<Record<string, TfjsOperator>> = {
  BatchNormalization: same(batchNorm),
  LayerNormalization: sameThen(["f32"], layerNorm),
  RMSNormalization: same(rmsNorm),
  GroupNormalization: same(groupNorm),
  InstanceNormalization: same(instanceNorm),
  LpNormalization: same(lpNorm),
};
