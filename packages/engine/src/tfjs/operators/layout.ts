import { at, sizeOf } from "@isthmus/core";
import { broadcastShapes } from "@isthmus/graph/builder";
import { intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import {
  numbers,
  type OperatorContext,
  operand,
  requiredNumbers,
  same,
  type TfjsOperator,
} from "../operator.ts";
import { numbersOf } from "../tensors.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { pad } from "./pad.ts";
import { throughIntegers } from "./through-integers.ts";

/**
 * Reshapes a tensor; an extent of 0 is copied from the operand unless `allowzero` is set, and an extent of -1
 * is derived.
 */
function reshape(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const shape = requiredNumbers(context, 1, "shape");
  const copiesZeros = intAttribute(node, "allowzero", 0) === 0;
  return tf.reshape(
    x,
    shape.map((extent, axis) => (extent === 0 && copiesZeros ? at(x.shape, axis, "axis") : extent)),
  );
}

function flatten(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", 1), x.rank);
  return context.tf.reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
}

/** Returns the axes of a node; these are an operand from operator set 13 on, and an attribute before. */
const axesOf = (context: OperatorContext): readonly number[] | undefined =>
  numbers(context, 1) ?? intsAttribute(context.node, "axes");

function squeeze(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const axes = axesOf(context)?.map((axis) => wrapAxis(axis, x.rank));
  const remains = (extent: number, axis: number) =>
    axes === undefined ? extent !== 1 : !axes.includes(axis);
  return context.tf.reshape(x, x.shape.filter(remains));
}

function unsqueeze(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const newAxes = requiredNumbers(context, 1, "axes");
  const rank = x.rank + newAxes.length;
  const axes = newAxes.map((axis) => wrapAxis(axis, rank));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? 1)));
  return context.tf.reshape(x, shape);
}

function transpose(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const order = intsAttribute(context.node, "perm") ?? [...x.shape.keys()].reverse();
  return x.rank === 0 ? x : context.tf.transpose(x, [...order]);
}

/**
 * Repeats `x` along axes of extent 1 up to a shape. Floats are multiplied by ones, since repetition in
 * TensorFlow.js has a gradient for up to four axes only.
 */
export function broadcast(tf: Tfjs, x: TfTensor, shape: readonly number[]): TfTensor {
  if (x.dtype === "float32") return tf.mul(x, tf.ones([...shape]));
  return throughIntegers(tf, x, (elements) => tf.broadcastTo(elements, [...shape]));
}

function expand(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  return broadcast(context.tf, x, broadcastShapes(x.shape, numbersOf(operand(context, 1))));
}

function tile(context: OperatorContext): TfTensor {
  const { tf } = context;
  const x = operand(context, 0);
  const repeats = numbersOf(operand(context, 1));
  const apart = tf.reshape(
    x,
    x.shape.flatMap((extent) => [1, extent]),
  );
  const full = broadcast(
    tf,
    apart,
    x.shape.flatMap((extent, axis) => [at(repeats, axis, "repeat"), extent]),
  );
  return tf.reshape(
    full,
    x.shape.map((extent, axis) => extent * at(repeats, axis, "repeat")),
  );
}

function concat(context: OperatorContext): TfTensor {
  const { tf, node, inputs } = context;
  const parts = inputs.map((_, i) => operand(context, i));
  const axis = wrapAxis(intAttribute(node, "axis", 0), operand(context, 0).rank);
  const filled = parts.filter(({ size }) => size > 0);
  const [first] = filled;
  if (first === undefined) return emptyConcat(tf, parts, axis);
  const isTruth = first.dtype === "bool";
  const joined = tf.concat(isTruth ? filled.map((part) => tf.cast(part, "int32")) : filled, axis);
  return isTruth ? tf.cast(joined, "bool") : joined;
}

function emptyConcat(tf: Tfjs, parts: readonly TfTensor[], axis: number): TfTensor {
  const first = at(parts, 0, "operand");
  const joined = parts.reduce((total, { shape }) => total + at(shape, axis, "axis"), 0);
  const shape = first.shape.map((extent, i) => (i === axis ? joined : extent));
  return tf.tensor([], shape, first.dtype);
}

/**
 * Splits a tensor into parts; their extents are an operand, an attribute, or by default equal except for the
 * last.
 */
function split(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(node, "axis", 0), x.rank);
  const extent = at(x.shape, axis, "axis");
  const parts = intAttribute(node, "num_outputs", node.outputs.length);
  const chunk = Math.ceil(extent / parts);
  const extents =
    numbers(context, 1) ??
    intsAttribute(node, "split") ??
    Array.from({ length: parts }, (_, i) => Math.min(chunk, extent - i * chunk));
  return tf.split(x, [...extents], axis);
}

interface Range {
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
  readonly step: number;
}

function slice(context: OperatorContext): TfTensor {
  const { node } = context;
  const x = operand(context, 0);
  const starts = requiredNumbers(context, 1, "starts");
  const ends = requiredNumbers(context, 2, "ends");
  const axes = numbers(context, 3) ?? intsAttribute(node, "axes") ?? [...starts.keys()];
  const steps = numbers(context, 4) ?? starts.map(() => 1);
  const { tf } = context;
  return throughIntegers(tf, x, (elements) =>
    starts.reduce((rest, begin, i) => {
      const axis = wrapAxis(at(axes, i, "axis"), x.rank);
      return sliceAxis(tf, rest, { axis, begin, end: at(ends, i, "end"), step: at(steps, i, "step") });
    }, elements),
  );
}

/**
 * Clamps a range as ONNX requires: negative positions count from the end, and all positions are moved into
 * the axis.
 */
function clampRange({ begin, end, step }: Range, extent: number): { first: number; count: number } {
  const high = step > 0 ? extent : extent - 1;
  const clamp = (position: number, low: number) =>
    Math.min(Math.max(position < 0 ? position + extent : position, low), high);
  const first = clamp(begin, 0);
  const last = clamp(end, step > 0 ? 0 : -1);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/**
 * Slices an axis; with steps, it cuts the axis into rows of one step and takes their first elements, as
 * strided slices have no gradient.
 */
function sliceAxis(tf: Tfjs, x: TfTensor, range: Range): TfTensor {
  const { axis, step } = range;
  const extent = at(x.shape, axis, "axis");
  const { first, count } = clampRange(range, extent);
  if (step < 0) {
    const mirrored = { axis, begin: extent - 1 - first, end: extent - 1 - first - count * step, step: -step };
    return sliceAxis(tf, tf.reverse(x, axis), mirrored);
  }
  const part = (tensor: TfTensor, along: number, begin: number, length: number): TfTensor =>
    tf.slice(
      tensor,
      tensor.shape.map((_, i) => (i === along ? begin : 0)),
      tensor.shape.map((whole, i) => (i === along ? length : whole)),
    );
  if (step === 1 || count < 2) return part(x, axis, first, count);
  const width = count * step;
  const cut = part(x, axis, first, Math.min(width, extent - first));
  const padded = tf.pad(
    cut,
    cut.shape.map((length, i): [number, number] => [0, i === axis ? width - length : 0]),
  );
  const rows = tf.reshape(padded, [...x.shape.slice(0, axis), count, step, ...x.shape.slice(axis + 1)]);
  return tf.reshape(part(rows, axis + 1, 0, 1), [
    ...x.shape.slice(0, axis),
    count,
    ...x.shape.slice(axis + 1),
  ]);
}

/**
 * Moves blocks of channels into the image; the block is outermost among the channels for `DCR`, and innermost
 * for `CRD`.
 */
function depthToSpace(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const size = intAttribute(node, "blocksize", 1);
  const depth = channels / size ** 2;
  const isBlockFirst = stringAttribute(node, "mode", "DCR") === "DCR";
  const blocks = isBlockFirst ? [size, size, depth] : [depth, size, size];
  const order = isBlockFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  const spread = tf.transpose(tf.reshape(x, [batch, ...blocks, height, width]), order);
  return tf.reshape(spread, [batch, depth, height * size, width * size]);
}

/** Moves blocks of the image into channels, the block outermost. */
function spaceToDepth(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const size = intAttribute(node, "blocksize", 1);
  const [rows, columns] = [height / size, width / size];
  const blocks = tf.transpose(
    tf.reshape(x, [batch, channels, rows, size, columns, size]),
    [0, 3, 5, 1, 2, 4],
  );
  return tf.reshape(blocks, [batch, channels * size ** 2, rows, columns]);
}

/** Operators that move elements by axes and extents. */
export const LAYOUT: Readonly<Record<string, TfjsOperator>> = {
  Reshape: same(reshape),
  Flatten: same(flatten),
  Squeeze: same(squeeze),
  Unsqueeze: same(unsqueeze),
  Transpose: same(transpose),
  Expand: same(expand),
  Tile: same(tile),
  Concat: same(concat),
  Split: same(split),
  Slice: same(slice),
  Pad: same(pad),
  DepthToSpace: same(depthToSpace),
  SpaceToDepth: same(spaceToDepth),
};
