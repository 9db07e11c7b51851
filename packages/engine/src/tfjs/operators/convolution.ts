import { at } from "@isthmus/core";
import { intAttribute, intsAttribute } from "@isthmus/graph/ir";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { type OperatorContext, operand, same, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { padConstant } from "./pad.ts";
import { fromImage, toImage, type Window, windowOf } from "./window.ts";

/** Computes the convolution of `x [batch, in, ...spatial]` with `kernel [out, in / group, ...taps]`. */
function conv(context: OperatorContext): TfTensor {
  const { tf, node, inputs } = context;
  const [x, kernel] = [operand(context, 0), operand(context, 1)];
  const spatial = x.rank - 2;
  const window = windowOf(context, x.shape.slice(2), kernel.shape.slice(2));
  const image = padImage(tf, toImage(tf, x), window.pads);
  const filter = dilate(tf, toFilter(tf, kernel), window.dilations);
  const group = intAttribute(node, "group", 1);
  const result = convolveGroups(tf, { image, filter, group, strides: window.strides });
  const bias = inputs[2]?.tensor;
  return fromImage(tf, bias === undefined ? result : tf.add(result, bias), spatial);
}

/** Transposes a kernel `[out, in, (height,) width]` to a filter `[height, width, in, out]`. */
function toFilter(tf: Tfjs, kernel: TfTensor): TfTensor {
  const [out, channels, ...taps] = kernel.shape as [number, number, ...number[]];
  const image = taps.length === 1 ? tf.reshape(kernel, [out, channels, 1, ...taps]) : kernel;
  return tf.transpose(image, [2, 3, 1, 0]);
}

/** Dilates a filter by zeros between its taps, as dilated convolutions in TensorFlow.js have no gradient. */
function dilate(tf: Tfjs, filter: TfTensor, dilations: readonly [number, number]): TfTensor {
  return dilations.reduce((wide, step, axis) => {
    const extent = at(wide.shape, axis, "axis");
    if (step === 1 || extent === 1) return wide;
    const [before, after] = [wide.shape.slice(0, axis), wide.shape.slice(axis + 1)];
    const apart = tf.pad(
      tf.reshape(wide, [...before, extent, 1, ...after]),
      [...before, extent, 1, ...after].map((_, i): [number, number] => [0, i === axis + 1 ? step - 1 : 0]),
    );
    const whole = tf.reshape(apart, [...before, extent * step, ...after]);
    return tf.slice(
      whole,
      whole.shape.map(() => 0),
      [...before, (extent - 1) * step + 1, ...after],
    );
  }, filter);
}

const padImage = (tf: Tfjs, image: TfTensor, pads: Window["pads"]): TfTensor =>
  padConstant(tf, image, { pads: [[0, 0], ...pads, [0, 0]], value: 0 });

interface Convolution {
  readonly image: TfTensor;
  readonly filter: TfTensor;
  readonly group: number;
  readonly strides: readonly [number, number];
}

/** Convolves all groups at once, as a depthwise convolution, or one by one. */
function convolveGroups(tf: Tfjs, { image, filter, group, strides }: Convolution): TfTensor {
  const steps: [number, number] = [...strides];
  const plain = (x: TfTensor, w: TfTensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, steps, "valid");
  if (group === 1) return plain(image, filter);
  const [height, width, channels, out] = filter.shape as [number, number, number, number];
  if (channels === 1) {
    const perChannel = tf.reshape(filter, [height, width, group, out / group]);
    return tf.depthwiseConv2d(image as Tensor4D, perChannel as Tensor4D, steps, "valid");
  }
  const images = tf.split(image, group, 3);
  const filters = tf.split(filter, group, 3);
  return tf.concat(
    images.map((part, i) => plain(part, filters[i] as TfTensor)),
    3,
  );
}

/**
 * Computes the transposed convolution of `x [batch, in, ...spatial]` with
 * `kernel [in, out / group, ...taps]`.
 */
function convTranspose(context: OperatorContext): TfTensor {
  const { tf, node, inputs } = context;
  const [x, kernel] = [operand(context, 0), operand(context, 1)];
  const spatial = x.rank - 2;
  const window = windowOf(context, x.shape.slice(2), kernel.shape.slice(2));
  const image = toImage(tf, x);
  const filter = dilate(tf, toFilter(tf, kernel), window.dilations);
  const group = intAttribute(node, "group", 1);
  const images = tf.split(image, group, 3);
  const filters = tf.split(filter, group, 3);
  const parts = images.map((part, i) => spread(tf, part, filters[i] as TfTensor, window.strides));
  const full = tf.concat(parts, 3);
  const result = padImage(tf, full, cropOf(context, full, { window, spatial }));
  const bias = inputs[2]?.tensor;
  return fromImage(tf, bias === undefined ? result : tf.add(result, bias), spatial);
}

/** Computes the transposed convolution of one group without pads, by a filter `[height, width, out, in]`. */
function spread(tf: Tfjs, image: TfTensor, filter: TfTensor, strides: readonly [number, number]): TfTensor {
  const [batch, height, width] = image.shape as [number, number, number];
  const [tall, wide, out] = filter.shape as [number, number, number];
  const shape: [number, number, number, number] = [
    batch,
    (height - 1) * strides[0] + tall,
    (width - 1) * strides[1] + wide,
    out,
  ];
  return tf.conv2dTranspose(image as Tensor4D & Tensor3D, filter as Tensor4D, shape, [...strides], "valid");
}

/** Returns the rows and columns that pads, output padding or an output shape cut off, as negative pads. */
function cropOf(
  { node }: OperatorContext,
  full: TfTensor,
  { window, spatial }: { readonly window: Window; readonly spatial: number },
): Window["pads"] {
  const outputShape = intsAttribute(node, "output_shape");
  const outputPadding = intsAttribute(node, "output_padding") ?? Array<number>(spatial).fill(0);
  const crop = (axis: 0 | 1): [number, number] => {
    const spatialAxis = axis - 2 + spatial;
    if (spatialAxis < 0) return [0, 0];
    const [before, after] = window.pads[axis];
    const extra = at(outputPadding, spatialAxis, "axis");
    if (outputShape === undefined) return [-before, extra - after];
    const total = at(full.shape, axis + 1, "axis") + extra - at(outputShape, spatialAxis, "axis");
    const first = Math.floor(total / 2);
    return [-first, extra - (total - first)];
  };
  return [crop(0), crop(1)];
}

/** Convolutions. */
export const CONVOLUTION: Readonly<Record<string, TfjsOperator>> = {
  Conv: same(conv),
  ConvTranspose: same(convTranspose),
};
