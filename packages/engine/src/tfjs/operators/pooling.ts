import { intAttribute, intsAttribute } from "@isthmus/graph/ir";
import type { Tensor4D } from "@tensorflow/tfjs";
import {
  cannotCompute,
  type OperatorContext,
  operand,
  same,
  sameThen,
  type TfjsOperator,
} from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { findMaxima } from "./find-maxima.ts";
import { padConstant } from "./layout.ts";
import { fromImage, toImage, type Window, windowOf } from "./window.ts";

const padImage = (tf: Tfjs, image: TfTensor, pads: Window["pads"], value: number): TfTensor =>
  padConstant(tf, image, { pads: [[0, 0], ...pads, [0, 0]], value });

/** Largest elements of windows, and where they are as row-major positions in all of the input. */
function maxPool(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const spatial = x.rank - 2;
  const window = windowOf(context, x.shape.slice(2), intsAttribute(node, "kernel_shape") ?? []);
  const { taps, strides, dilations, pads } = window;
  const isDilated = dilations.some((step) => step !== 1);
  const wantsIndices = (node.outputs[1] ?? "") !== "";
  if (wantsIndices && intAttribute(node, "storage_order", 0) !== 0) {
    throw cannotCompute(context, "indices must be in row-major order", "storage_order is 1");
  }
  const indices = isDilated || wantsIndices ? [findMaxima(tf, x, window)] : [];
  if (isDilated)
    return indices.flatMap((at) => [
      tf.reshape(tf.gather(tf.reshape(x, [-1]), tf.reshape(at, [-1])), at.shape),
      at,
    ]);
  // Not infinite, since 0 times infinity would make a gradient NaN.
  const padded = padImage(tf, toImage(tf, x), pads, -3.4e38);
  const largest = tf.maxPool(padded as Tensor4D, [...taps], [...strides], "valid");
  return [fromImage(tf, largest, spatial), ...indices];
}

/** Means over windows; pads count only with `count_include_pad`, and never those that `ceil_mode` adds. */
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
  const [, height = 1, width = 1] = means.shape;
  const rows = shares({ windows: height, tap: taps[0], stride: strides[0] }, counted[0]);
  const columns = shares({ windows: width, tap: taps[1], stride: strides[1] }, counted[1]);
  const scale = tf.mul(tf.tensor(rows, [height, 1, 1]), tf.tensor(columns, [1, width, 1]));
  return fromImage(tf, tf.mul(means, scale), x.rank - 2);
}

/** Where along an axis of the padded image the elements lie that count: begin and end. */
function countedPads(
  { node }: OperatorContext,
  x: TfTensor,
  pads: Window["pads"],
): readonly [readonly [number, number], readonly [number, number]] {
  const spatial = x.shape.slice(2);
  const given = intsAttribute(node, "pads") ?? [];
  const isCounted = intAttribute(node, "count_include_pad", 0) === 1;
  const along = (axis: 0 | 1): [number, number] => {
    const own = axis - 2 + spatial.length;
    const extent = spatial[own] ?? 1;
    const [before, after] = pads[axis];
    const end = before + extent;
    return isCounted ? [0, end + Math.min(after, given[own + spatial.length] ?? after)] : [before, end];
  };
  return [along(0), along(1)];
}

/** Factor for each window that turns a mean over all of it into one over the elements that count. */
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
