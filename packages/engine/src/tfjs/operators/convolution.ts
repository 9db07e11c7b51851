import { intAttribute, intsAttribute } from "@isthmus/graph/ir";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { type OperatorContext, operand, same, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { padConstant } from "./layout.ts";
import { fromImage, toImage, type Window, windowOf } from "./window.ts";

/** Convolution of `x [batch, in, ...spatial]` with `kernel [out, in / group, ...taps]`. */
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

/** `[out, in, (height,) width]` as `[height, width, in, out]`. */
function toFilter(tf: Tfjs, kernel: TfTensor): TfTensor {
  const [out = 0, own = 0, ...taps] = kernel.shape;
  return tf.transpose(taps.length === 1 ? tf.reshape(kernel, [out, own, 1, ...taps]) : kernel, [2, 3, 1, 0]);
}

/** Zeros between taps stand for dilation, of which convolutions in TensorFlow.js have no gradient. */
function dilate(tf: Tfjs, filter: TfTensor, dilations: readonly [number, number]): TfTensor {
  return dilations.reduce((wide, step, axis) => {
    const extent = wide.shape[axis] ?? 1;
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

/** All of it at once, as a depthwise convolution, or group by group. */
function convolveGroups(tf: Tfjs, { image, filter, group, strides }: Convolution): TfTensor {
  const steps: [number, number] = [...strides];
  const plain = (x: TfTensor, w: TfTensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, steps, "valid");
  if (group === 1) return plain(image, filter);
  const [height = 1, width = 1, own = 1, out = 1] = filter.shape;
  if (own === 1) {
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

/** Transposed convolution of `x [batch, in, ...spatial]` with `kernel [in, out / group, ...taps]`. */
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

/** Transposed convolution of one group without pads, `[.., out, in]` being the last axes of the filter. */
function spread(tf: Tfjs, image: TfTensor, filter: TfTensor, strides: readonly [number, number]): TfTensor {
  const [batch = 0, height = 0, width = 0] = image.shape;
  const [tall = 1, wide = 1, out = 1] = filter.shape;
  const shape: [number, number, number, number] = [
    batch,
    (height - 1) * strides[0] + tall,
    (width - 1) * strides[1] + wide,
    out,
  ];
  return tf.conv2dTranspose(image as Tensor4D & Tensor3D, filter as Tensor4D, shape, [...strides], "valid");
}

/** What pads, output padding or a wanted shape cut off a transposed convolution, as negative pads. */
function cropOf(
  { node }: OperatorContext,
  full: TfTensor,
  { window, spatial }: { readonly window: Window; readonly spatial: number },
): Window["pads"] {
  const wanted = intsAttribute(node, "output_shape");
  const extra = intsAttribute(node, "output_padding") ?? [];
  const crop = (axis: number): [number, number] => {
    const own = axis - 2 + spatial;
    if (own < 0) return [0, 0];
    const [before, after] = window.pads[axis] ?? [0, 0];
    const target = wanted?.[own];
    if (target === undefined) return [-before, (extra[own] ?? 0) - after];
    const total = (full.shape[axis + 1] ?? 0) + (extra[own] ?? 0) - target;
    const first = Math.floor(total / 2);
    return [-first, (extra[own] ?? 0) - (total - first)];
  };
  return [crop(0), crop(1)];
}

/** Convolutions. */
export const CONVOLUTION: Readonly<Record<string, TfjsOperator>> = {
  Conv: same(conv),
  ConvTranspose: same(convTranspose),
};
