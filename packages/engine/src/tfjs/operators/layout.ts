import { broadcastShapes } from "@isthmus/graph/builder";
import { intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import {
  cannotCompute,
  numbers,
  type OperatorContext,
  operand,
  same,
  type TfjsOperator,
} from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { throughIntegers } from "./through-integers.ts";

const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);

/** 0 keeps an extent, unless `allowzero` says that it is one; -1 is what is left. */
function reshape(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const given = numbers(context, 1) ?? intsAttribute(node, "shape") ?? [];
  const isKept = intAttribute(node, "allowzero", 0) === 0;
  return tf.reshape(
    x,
    given.map((extent, axis) => (extent === 0 && isKept ? (x.shape[axis] ?? 0) : extent)),
  );
}

function flatten(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", 1), x.rank);
  return context.tf.reshape(x, [product(x.shape.slice(0, axis)), product(x.shape.slice(axis))]);
}

/** Axes are an operand from operator set 13 on, before it an attribute. */
const axesOf = (context: OperatorContext): readonly number[] | undefined =>
  numbers(context, 1) ?? intsAttribute(context.node, "axes");

function squeeze(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const axes = axesOf(context)?.map((axis) => wrapAxis(axis, x.rank));
  const isKept = (extent: number, axis: number) => (axes === undefined ? extent !== 1 : !axes.includes(axis));
  return context.tf.reshape(x, x.shape.filter(isKept));
}

function unsqueeze(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const given = axesOf(context) ?? [];
  const rank = x.rank + given.length;
  const axes = given.map((axis) => wrapAxis(axis, rank));
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
 * `x` repeated along axes of extent 1 up to a shape. Numbers are multiplied by ones, since repeating itself has a gradient up
 * to four axes only.
 */
export function broadcast(tf: Tfjs, x: TfTensor, shape: readonly number[]): TfTensor {
  if (x.dtype === "float32") return tf.mul(x, tf.ones([...shape]));
  return throughIntegers(tf, x, (own) => tf.broadcastTo(own, [...shape]));
}

function expand(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  return broadcast(context.tf, x, broadcastShapes(x.shape, numbers(context, 1) ?? []));
}

function tile(context: OperatorContext): TfTensor {
  const { tf } = context;
  const x = operand(context, 0);
  const repeats = numbers(context, 1) ?? [];
  const apart = tf.reshape(
    x,
    x.shape.flatMap((extent) => [1, extent]),
  );
  const full = broadcast(
    tf,
    apart,
    x.shape.flatMap((extent, axis) => [repeats[axis] ?? 1, extent]),
  );
  return tf.reshape(
    full,
    x.shape.map((extent, axis) => extent * (repeats[axis] ?? 1)),
  );
}

function concat(context: OperatorContext): TfTensor {
  const { tf, node, inputs } = context;
  const parts = inputs.map((_, i) => operand(context, i));
  const axis = wrapAxis(intAttribute(node, "axis", 0), parts[0]?.rank ?? 0);
  const filled = parts.filter(({ size }) => size > 0);
  const [first] = filled;
  if (first === undefined) return emptyConcat(tf, parts, axis);
  const isTruth = first.dtype === "bool";
  const joined = tf.concat(isTruth ? filled.map((part) => tf.cast(part, "int32")) : filled, axis);
  return isTruth ? tf.cast(joined, "bool") : joined;
}

function emptyConcat(tf: Tfjs, parts: readonly TfTensor[], axis: number): TfTensor {
  const extent = parts.reduce((total, { shape }) => total + (shape[axis] ?? 0), 0);
  const shape = parts[0]?.shape.map((own, i) => (i === axis ? extent : own)) ?? [0];
  return tf.tensor([], shape, parts[0]?.dtype);
}

/** Extents are an operand, an attribute, or equal parts of which the last may be smaller. */
function split(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const axis = wrapAxis(intAttribute(node, "axis", 0), x.rank);
  const extent = x.shape[axis] ?? 0;
  const parts = intAttribute(node, "num_outputs", node.outputs.length);
  const chunk = Math.ceil(extent / parts);
  const given = numbers(context, 1) ?? intsAttribute(node, "split");
  const extents = given ?? Array.from({ length: parts }, (_, i) => Math.min(chunk, extent - i * chunk));
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
  const starts = numbers(context, 1) ?? intsAttribute(node, "starts") ?? [];
  const ends = numbers(context, 2) ?? intsAttribute(node, "ends") ?? [];
  const axes = numbers(context, 3) ?? intsAttribute(node, "axes") ?? [...starts.keys()];
  const steps = numbers(context, 4) ?? starts.map(() => 1);
  const { tf } = context;
  return throughIntegers(tf, x, (own) =>
    starts.reduce((rest, begin, i) => {
      const axis = wrapAxis(axes[i] ?? 0, x.rank);
      return sliceAxis(tf, rest, { axis, begin, end: ends[i] ?? 0, step: steps[i] ?? 1 });
    }, own),
  );
}

/** Clamps as ONNX says: positions count from the end where negative, then lie within the axis. */
function clampRange({ begin, end, step }: Range, extent: number): { first: number; count: number } {
  const high = step > 0 ? extent : extent - 1;
  const clamp = (position: number, low: number) =>
    Math.min(Math.max(position < 0 ? position + extent : position, low), high);
  const first = clamp(begin, 0);
  const last = clamp(end, step > 0 ? 0 : -1);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Strided slices have no gradient in TensorFlow.js; cutting into rows of one step and taking their heads has. */
function sliceAxis(tf: Tfjs, x: TfTensor, range: Range): TfTensor {
  const { axis, step } = range;
  const extent = x.shape[axis] ?? 0;
  const { first, count } = clampRange(range, extent);
  if (step < 0) {
    const mirrored = { axis, begin: extent - 1 - first, end: extent - 1 - first - count * step, step: -step };
    return sliceAxis(tf, tf.reverse(x, axis), mirrored);
  }
  const part = (tensor: TfTensor, at: number, begin: number, length: number): TfTensor =>
    tf.slice(
      tensor,
      tensor.shape.map((_, i) => (i === at ? begin : 0)),
      tensor.shape.map((own, i) => (i === at ? length : own)),
    );
  if (step === 1 || count < 2) return part(x, axis, first, count);
  const width = count * step;
  const cut = part(x, axis, first, Math.min(width, extent - first));
  const padded = tf.pad(
    cut,
    cut.shape.map((own, i): [number, number] => [0, i === axis ? width - own : 0]),
  );
  const rows = tf.reshape(padded, [...x.shape.slice(0, axis), count, step, ...x.shape.slice(axis + 1)]);
  return tf.reshape(part(rows, axis + 1, 0, 1), [
    ...x.shape.slice(0, axis),
    count,
    ...x.shape.slice(axis + 1),
  ]);
}

/** Constants around `x`, or its own elements repeated; negative pads cut off. */
function pad(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const given = numbers(context, 1) ?? intsAttribute(node, "pads") ?? [];
  const axes = numbers(context, 3)?.map((axis) => wrapAxis(axis, x.rank)) ?? [...x.shape.keys()];
  const amount = (axis: number, isEnd: boolean): number => {
    const at = axes.indexOf(axis);
    return at < 0 ? 0 : (given[at + (isEnd ? axes.length : 0)] ?? 0);
  };
  const pads = x.shape.map((_, axis): [number, number] => [amount(axis, false), amount(axis, true)]);
  const mode = stringAttribute(node, "mode", "constant");
  const value = numbers(context, 2)?.[0] ?? 0;
  if (mode === "constant") return padConstant(tf, x, { pads, value });
  return pads.reduce((rest, [before, after], axis) => {
    if (before === 0 && after === 0) return rest;
    const extent = rest.shape[axis] ?? 0;
    const length = extent + before + after;
    const index = Array.from({ length }, (_, i) => borderIndex(context, mode, i - before, extent));
    return tf.gather(rest, tf.tensor1d(index, "int32"), axis);
  }, x);
}

/** Pads with a number where pads are positive, and cuts off where they are negative. */
export function padConstant(
  tf: Tfjs,
  x: TfTensor,
  { pads, value }: { readonly pads: readonly (readonly [number, number])[]; readonly value: number },
): TfTensor {
  const begin = pads.map(([before]) => Math.max(0, -before));
  const size = pads.map(
    ([before, after], axis) => (x.shape[axis] ?? 0) + Math.min(0, before) + Math.min(0, after),
  );
  const isCut = size.some((extent, axis) => extent !== x.shape[axis]);
  const cut = isCut ? tf.slice(x, begin, size) : x;
  const grown = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  return grown.every(([before, after]) => before + after === 0) ? cut : tf.pad(cut, grown, value);
}

function borderIndex(context: OperatorContext, mode: string, position: number, extent: number): number {
  if (mode === "edge") return Math.min(Math.max(position, 0), extent - 1);
  const period = mode === "reflect" ? 2 * (extent - 1) : extent;
  if (mode !== "reflect" && mode !== "wrap") {
    throw cannotCompute(context, "pads must be constant, reflect, edge or wrap", `they are ${mode}`);
  }
  const at = period === 0 ? 0 : ((position % period) + period) % period;
  return at < extent ? at : period - at;
}

/** Blocks of channels spread over the image; `DCR` has the block outermost among the channels, `CRD` innermost. */
function depthToSpace(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const size = intAttribute(node, "blocksize", 1);
  const depth = channels / size ** 2;
  const isBlockFirst = stringAttribute(node, "mode", "DCR") === "DCR";
  const blocks = isBlockFirst ? [size, size, depth] : [depth, size, size];
  const order = isBlockFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  const spread = tf.transpose(tf.reshape(x, [batch, ...blocks, height, width]), order);
  return tf.reshape(spread, [batch, depth, height * size, width * size]);
}

/** Blocks of the image stacked as channels, the block outermost. */
function spaceToDepth(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const size = intAttribute(node, "blocksize", 1);
  const [rows, columns] = [height / size, width / size];
  const blocks = tf.transpose(
    tf.reshape(x, [batch, channels, rows, size, columns, size]),
    [0, 3, 5, 1, 2, 4],
  );
  return tf.reshape(blocks, [batch, channels * size ** 2, rows, columns]);
}

/** Movement of elements by axes and extents. */
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
