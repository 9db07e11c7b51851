import { at } from "@isthmus/core";
import { intAttribute, intsAttribute } from "@isthmus/graph/ir";
import type { Tensor4D } from "@tensorflow/tfjs";
import { largestIn } from "../kernels/largest-in.ts";
import {
  cannotCompute,
  type OperatorContext,
  operand,
  same,
  sameThen,
  type TfjsOperator,
} from "../operator.ts";
import { numbersOf } from "../tensors.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { padConstant } from "./pad.ts";
import { fromImage, toImage, type Window, windowOf } from "./window.ts";

const padImage = (tf: Tfjs, image: TfTensor, pads: Window["pads"], value: number): TfTensor =>
  padConstant(tf, image, { pads: [[0, 0], ...pads, [0, 0]], value });

/** Finds the largest elements of windows, and their row-major positions in the whole input. */
function maxPool(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const spatial = x.rank - 2;
  const window = windowOf(context, x.shape.slice(2), intsAttribute(node, "kernel_shape") ?? []);
  const { taps, strides, dilations, pads } = window;
  const isDilated = dilations.some((step) => step !== 1);
  const [, indicesName = ""] = node.outputs;
  const hasIndices = indicesName !== "";
  if (hasIndices && intAttribute(node, "storage_order", 0) !== 0) {
    throw cannotCompute(context, "indices must be in row-major order", "storage_order is 1");
  }
  const indices = isDilated || hasIndices ? [findMaxima(tf, x, window)] : [];
  if (isDilated)
    return indices.flatMap((positions) => [
      tf.reshape(tf.gather(tf.reshape(x, [-1]), tf.reshape(positions, [-1])), positions.shape),
      positions,
    ]);
  // The pads are not infinite, since 0 times infinity would make a gradient NaN.
  const padded = padImage(tf, toImage(tf, x), pads, -3.4e38);
  const largest = tf.maxPool(padded as Tensor4D, [...taps], [...strides], "valid");
  return [fromImage(tf, largest, spatial), ...indices];
}

/**
 * Computes means over windows; pads count only with `count_include_pad`, and never if `ceil_mode` adds them.
 */
function averagePool(context: OperatorContext): TfTensor {
  const { tf } = context;
  const x = operand(context, 0);
  const window = windowOf(context, x.shape.slice(2), intsAttribute(context.node, "kernel_shape") ?? []);
  const { taps, strides, dilations, pads } = window;
  if (dilations.some((step) => step !== 1)) {
    throw cannotCompute(context, "a mean must not be dilated", `dilations are ${dilations.join(", ")}`);
  }
  const padded = padImage(tf, toImage(tf, x), pads, 0);
  const means = tf.avgPool(padded as Tensor4D, [...taps], [...strides], "valid");
  if (pads.flat().every((extent) => extent === 0)) return fromImage(tf, means, x.rank - 2);
  const counted = countedPads(context, x, pads);
  const [, height, width] = means.shape;
  const rows = shares({ windows: height, tap: taps[0], stride: strides[0] }, counted[0]);
  const columns = shares({ windows: width, tap: taps[1], stride: strides[1] }, counted[1]);
  const scale = tf.mul(tf.tensor(rows, [height, 1, 1]), tf.tensor(columns, [1, width, 1]));
  return fromImage(tf, tf.mul(means, scale), x.rank - 2);
}

/** Returns the ranges of elements that count along both axes of the padded image: begin and end. */
function countedPads(
  { node }: OperatorContext,
  x: TfTensor,
  pads: Window["pads"],
): readonly [readonly [number, number], readonly [number, number]] {
  const spatial = x.shape.slice(2);
  const explicitPads = intsAttribute(node, "pads");
  const isCounted = intAttribute(node, "count_include_pad", 0) === 1;
  const along = (axis: 0 | 1): [number, number] => {
    const spatialAxis = axis - 2 + spatial.length;
    // A signal of one axis is an image of one row.
    const extent = spatialAxis < 0 ? 1 : at(spatial, spatialAxis, "axis");
    const [before, after] = pads[axis];
    const end = before + extent;
    if (!isCounted) return [before, end];
    const isExplicit = explicitPads !== undefined && spatialAxis >= 0;
    return [
      0,
      end + (isExplicit ? Math.min(after, at(explicitPads, spatialAxis + spatial.length, "pad")) : after),
    ];
  };
  return [along(0), along(1)];
}

/**
 * Returns a factor for each window that converts the mean over all its elements to the mean over the elements
 * that count.
 */
function shares(
  { windows, tap, stride }: { readonly windows: number; readonly tap: number; readonly stride: number },
  [begin, end]: readonly [number, number],
): Float32Array {
  return Float32Array.from({ length: windows }, (_, i) => {
    const count = Math.min(i * stride + tap, end) - Math.max(i * stride, begin);
    return tap / Math.max(1, count);
  });
}

const overSpace = (apply: (tf: Tfjs, x: TfTensor, axes: number[]) => TfTensor): TfjsOperator =>
  same((context) => {
    const x = operand(context, 0);
    return apply(context.tf, x, [...x.shape.keys()].slice(2));
  });

/** Poolings. */
export const POOLING: Readonly<Record<string, TfjsOperator>> = {
  MaxPool: sameThen(["i64"], maxPool),
  AveragePool: same(averagePool),
  GlobalAveragePool: overSpace((tf, x, axes) => tf.mean(x, axes, true)),
  GlobalMaxPool: overSpace((tf, x, axes) => tf.max(x, axes, true)),
};

/** Returns for every window along an axis the positions within the input that it covers. */
function coveredBy({ taps, strides, dilations, pads }: Window, axis: 0 | 1, extent: number): number[][] {
  const [tap, stride, dilation] = [taps[axis], strides[axis], dilations[axis]];
  const [before, after] = pads[axis];
  const windows = Math.floor((extent + before + after - dilation * (tap - 1) - 1) / stride) + 1;
  return Array.from({ length: windows }, (_, window) =>
    Array.from({ length: tap }, (_, i) => window * stride + i * dilation - before).filter(
      (position) => position >= 0 && position < extent,
    ),
  );
}

/**
 * Finds the first largest element of every window and returns its row-major position in the whole of
 * `x [batch, channels, (height,) width]`. This is computed in plain JavaScript, since TensorFlow.js cannot
 * compute it on every backend or for dilated windows.
 */
function findMaxima(tf: Tfjs, x: TfTensor, window: Window): TfTensor {
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const [height, width] = [
    spatial.length === 1 ? 1 : at(spatial, 0, "axis"),
    at(spatial, spatial.length - 1, "axis"),
  ];
  const rows = coveredBy(window, 0, height);
  const columns = coveredBy(window, 1, width);
  const values = numbersOf(x);
  const positions: number[] = [];
  for (let image = 0; image < batch * channels; image++) {
    for (const row of rows) {
      const begins = row.map((y) => (image * height + y) * width);
      for (const column of columns) positions.push(largestIn(values, begins, column));
    }
  }
  const extents = spatial.length === 1 ? [columns.length] : [rows.length, columns.length];
  return tf.tensor(Int32Array.from(positions), [batch, channels, ...extents], "int32");
}
