import { at, sizeOf } from "@isthmus/core";
import { intAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import {
  cannotCompute,
  type OperatorContext,
  operand,
  operandType,
  same,
  sameThen,
  scalar,
  type TfjsOperator,
} from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { broadcast } from "./layout.ts";
import { throughIntegers } from "./through-integers.ts";

/** Adds the extent to negative indices, as these count from the end. */
function wrapIndices(tf: Tfjs, indices: TfTensor, extent: number): TfTensor {
  const index = tf.cast(indices, "int32");
  return tf.add(index, tf.mul(tf.cast(tf.less(index, 0), "int32"), tf.scalar(extent, "int32")));
}

function gather(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const table = operand(context, 0);
  const indices = operand(context, 1);
  const axis = wrapAxis(intAttribute(node, "axis", 0), table.rank);
  const flat = tf.reshape(wrapIndices(tf, indices, at(table.shape, axis, "axis")), [-1]);
  const shape = [...table.shape.slice(0, axis), ...indices.shape, ...table.shape.slice(axis + 1)];
  return throughIntegers(tf, table, (x) => tf.reshape(tf.gather(x, flat, axis), shape));
}

/** Converts indices along one axis to positions of the same elements in the flattened tensor. */
function flatPositions(
  tf: Tfjs,
  indices: TfTensor,
  { shape, axis }: { shape: number[]; axis: number },
): TfTensor {
  let total: TfTensor = tf.mul(
    wrapIndices(tf, indices, at(shape, axis, "axis")),
    tf.scalar(sizeOf(shape.slice(axis + 1)), "int32"),
  );
  for (const [i, extent] of indices.shape.entries()) {
    const stride = sizeOf(shape.slice(i + 1));
    if (i === axis || extent === 1) continue;
    const steps = Int32Array.from({ length: extent }, (_, place) => place * stride);
    const along = indices.shape.map((_, other) => (other === i ? extent : 1));
    total = tf.add(total, tf.tensor(steps, along, "int32"));
  }
  return tf.reshape(total, [-1]);
}

function gatherElements(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const data = operand(context, 0);
  const indices = operand(context, 1);
  const axis = wrapAxis(intAttribute(node, "axis", 0), data.rank);
  const positions = flatPositions(tf, indices, { shape: data.shape, axis });
  return throughIntegers(tf, data, (x) =>
    tf.reshape(tf.gather(tf.reshape(x, [-1]), positions), indices.shape),
  );
}

/** Converts the indices along the last axis to positions of slices, counted in whole slices. */
function slicePositions(tf: Tfjs, indices: TfTensor, leading: readonly number[]): TfTensor {
  const parts = tf.split(indices, leading.length, indices.rank - 1);
  const total = parts.reduce<TfTensor>(
    (sum, part, i) => {
      const index = wrapIndices(tf, part, at(leading, i, "axis"));
      return tf.add(sum, tf.mul(index, tf.scalar(sizeOf(leading.slice(i + 1)), "int32")));
    },
    tf.scalar(0, "int32"),
  );
  return tf.reshape(total, [-1]);
}

function gatherNd(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const data = operand(context, 0);
  const indices = operand(context, 1);
  if (intAttribute(node, "batch_dims", 0) !== 0) {
    throw cannotCompute(context, "batch_dims must be 0", `it is ${intAttribute(node, "batch_dims", 0)}`);
  }
  const depth = at(indices.shape, indices.rank - 1, "axis");
  const [leading, inner] = [data.shape.slice(0, depth), data.shape.slice(depth)];
  const positions = slicePositions(tf, indices, leading);
  const shape = [...indices.shape.slice(0, -1), ...inner];
  return throughIntegers(tf, data, (x) =>
    tf.reshape(tf.gather(tf.reshape(x, [sizeOf(leading), sizeOf(inner)]), positions), shape),
  );
}

interface Scatter {
  /** Rows, `[rows, width]`. */
  readonly data: TfTensor;
  /** Indices of the rows to change, `[count]`. */
  readonly rows: TfTensor;
  /** New or added rows, `[count, width]`. */
  readonly updates: TfTensor;
}

/** Adds rows to rows or replaces them, by sums over segments, which have gradients. */
function scatterRows(context: OperatorContext, { data, rows, updates }: Scatter): TfTensor {
  const { tf, node } = context;
  const reduction = stringAttribute(node, "reduction", "none");
  const count = at(data.shape, 0, "axis");
  const sums = tf.unsortedSegmentSum(updates, rows as never, count);
  if (reduction === "add") return tf.add(data, sums);
  if (reduction !== "none") {
    throw cannotCompute(context, "its reduction must be none or add", `it is ${reduction}`);
  }
  const hits = tf.unsortedSegmentSum(tf.ones([rows.size]), rows as never, count);
  return tf.where(tf.reshape(tf.greater(hits, 0), [count, 1]), sums, data);
}

function scatterElements(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const data = operand(context, 0);
  const indices = operand(context, 1);
  const axis = wrapAxis(intAttribute(node, "axis", 0), data.rank);
  const result = scatterRows(context, {
    data: tf.reshape(data, [data.size, 1]),
    rows: flatPositions(tf, indices, { shape: data.shape, axis }),
    updates: tf.reshape(operand(context, 2), [indices.size, 1]),
  });
  return tf.reshape(result, data.shape);
}

function scatterNd(context: OperatorContext): TfTensor {
  const { tf } = context;
  const data = operand(context, 0);
  const indices = operand(context, 1);
  const depth = at(indices.shape, indices.rank - 1, "axis");
  const [leading, inner] = [data.shape.slice(0, depth), data.shape.slice(depth)];
  const rows = slicePositions(tf, indices, leading);
  const result = scatterRows(context, {
    data: tf.reshape(data, [sizeOf(leading), sizeOf(inner)]),
    rows,
    updates: tf.reshape(operand(context, 2), [rows.size, sizeOf(inner)]),
  });
  return tf.reshape(result, data.shape);
}

/**
 * Compares indices with every position, so that no position is set for indices out of range, as ONNX
 * requires.
 */
function oneHot(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const indices = operand(context, 0);
  const depth = scalar(context, 1);
  const [off, on] = tf.split(operand(context, 2), 2);
  const axis = wrapAxis(intAttribute(node, "axis", -1), indices.rank + 1);
  const along = Array.from({ length: indices.rank + 1 }, (_, i) => (i === axis ? depth : 1));
  const positions = tf.tensor(
    Int32Array.from({ length: depth }, (_, i) => i),
    along,
    "int32",
  );
  const isHot = tf.equal(tf.expandDims(wrapIndices(tf, indices, depth), axis), positions);
  return tf.where(isHot, on as TfTensor, off as TfTensor);
}

/** Finds the largest or smallest elements along an axis, in order, and their indices. */
function topK(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const count = scalar(context, 1, intAttribute(node, "k", 1));
  const axis = wrapAxis(intAttribute(node, "axis", -1), x.rank);
  const order = [...x.shape.keys()].filter((other) => other !== axis);
  const back = x.shape.map((_, i) => (i === axis ? x.rank - 1 : i < axis ? i : i - 1));
  const last = tf.transpose(x, [...order, axis]);
  const isLargest = intAttribute(node, "largest", 1) === 1;
  const { values, indices } = tf.topk(isLargest ? last : tf.neg(last), count);
  return [tf.transpose(isLargest ? values : tf.neg(values), back), tf.transpose(indices, back)];
}

function cumulativeSum(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const axis = wrapAxis(scalar(context, 1), x.rank);
  const isExclusive = intAttribute(node, "exclusive", 0) === 1;
  return tf.cumsum(x, axis, isExclusive, intAttribute(node, "reverse", 0) === 1);
}

/** Returns the upper or lower triangle of the last two axes, with zeros elsewhere. */
function triangle(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const [rows = 1, columns = 1] = x.shape.slice(-2);
  const k = scalar(context, 1, 0);
  const isUpper = intAttribute(node, "upper", 1) === 1;
  const triangular = Uint8Array.from({ length: rows * columns }, (_, i) => {
    const distance = (i % columns) - Math.floor(i / columns);
    return (isUpper ? distance >= k : distance <= k) ? 1 : 0;
  });
  const mask = tf.tensor2d(triangular, [rows, columns], "bool");
  if (x.dtype === "bool") return tf.logicalAnd(x, mask);
  return tf.where(broadcast(tf, mask, x.shape), x, tf.zerosLike(x));
}

/** Operators that move elements by indices, or sort or add them along an axis. */
export const GATHER: Readonly<Record<string, TfjsOperator>> = {
  Gather: same(gather),
  GatherElements: same(gatherElements),
  GatherND: same(gatherNd),
  ScatterElements: same(scatterElements),
  ScatterND: same(scatterNd),
  OneHot: { compute: oneHot, types: (context) => [operandType(context, 2)] },
  TopK: sameThen(["i64"], topK),
  CumSum: same(cumulativeSum),
  Trilu: same(triangle),
};
