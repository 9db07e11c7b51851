import { at, type DType, type Tensor, UnsupportedError } from "@isthmus/core";
import { dtypeOfCode } from "@isthmus/graph";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import {
  type OperatorContext,
  operand,
  operandType,
  same,
  scalar,
  type TfjsOperator,
  typed,
} from "../operator.ts";
import { numbersOf, tfTypeOf, toTfTensor } from "../tensors.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

function shape(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const clamp = (axis: number) => Math.min(Math.max(wrapAxis(axis, x.rank), 0), x.rank);
  const start = clamp(intAttribute(context.node, "start", 0));
  const end = clamp(intAttribute(context.node, "end", x.rank));
  return context.tf.tensor1d(x.shape.slice(start, end), "int32");
}

/** Returns the tensor of a constant, from the attribute that contains it. */
function constantTensor({ attributes, name }: OperatorContext["node"]): Tensor {
  for (const attribute of attributes.values()) {
    const { type, value } = attribute;
    if (type === "tensor") return value;
    if (type === "float") return { dtype: "f32", shape: [], data: Float32Array.of(value) };
    if (type === "floats") return { dtype: "f32", shape: [value.length], data: Float32Array.from(value) };
    if (type === "int") return { dtype: "i64", shape: [], data: BigInt64Array.of(BigInt(value)) };
    if (type === "ints") {
      return { dtype: "i64", shape: [value.length], data: BigInt64Array.from(value, BigInt) };
    }
  }
  throw new UnsupportedError(`Cannot compute node "${name}" as its constant must be numeric: it is not`, {
    feature: "Constant of text",
  });
}

/** Returns the value that `ConstantOfShape` repeats, as a tensor of one element. */
function filling({ node }: OperatorContext): Tensor {
  const value = node.attributes.get("value");
  return value?.type === "tensor" ? value.value : { dtype: "f32", shape: [1], data: Float32Array.of(0) };
}

function filled(context: OperatorContext): TfTensor {
  const { dtype, data } = filling(context);
  const value = Number(at<number | bigint>(data, 0, "element"));
  return fill(context.tf, numbersOf(operand(context, 0)), { value, dtype });
}

/**
 * Fills a tensor with a value; truth values are filled as integers, since not every backend supports them.
 */
function fill(
  tf: Tfjs,
  extents: number[],
  { value, dtype }: { readonly value: number; readonly dtype: DType },
): TfTensor {
  const type = tfTypeOf(dtype, "value");
  return type === "bool" ? tf.cast(tf.fill(extents, value, "int32"), "bool") : tf.fill(extents, value, type);
}

function range(context: OperatorContext): TfTensor {
  const [start, limit, step] = [scalar(context, 0), scalar(context, 1), scalar(context, 2)];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  const values = Array.from({ length: count }, (_, i) => start + i * step);
  return context.tf.tensor1d(values, operand(context, 0).dtype as "float32" | "int32");
}

/**
 * Returns a matrix of the extents of the operand with ones on the diagonal that is `k` above the main one.
 */
function eyeLike(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const [rows, columns] = operand(context, 0).shape as [number, number];
  const k = intAttribute(node, "k", 0);
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
  );
  return tf.cast(tf.tensor2d(values, [rows, columns]), tfTypeOf(eyeType(context), node.name));
}

const eyeType = (context: OperatorContext): DType =>
  dtypeOfCode(intAttribute(context.node, "dtype", 0)) ?? operandType(context, 0);

/** Finds the positions of elements that are not zero, `[rank, count]`. */
function nonZero(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const indices = numbersOf(x).flatMap((value, i) => (value === 0 ? [] : [i]));
  let stride = x.size;
  const rows = x.shape.flatMap((extent) => {
    stride /= extent;
    return indices.map((index) => Math.floor(index / stride) % extent);
  });
  return context.tf.tensor2d(rows, [x.rank, indices.length], "int32");
}

/** Returns the element type that a cast converts to. @throws UnsupportedError if Isthmus lacks that type */
function castType(context: OperatorContext): DType {
  const { node } = context;
  if (node.op === "CastLike") return operandType(context, 1);
  const dtype = dtypeOfCode(intAttribute(node, "to", 0));
  if (dtype !== undefined) return dtype;
  throw new UnsupportedError(
    `Cannot compute node "${node.name}" as it must cast to a number type: it has code ${intAttribute(node, "to", 0)}`,
    { feature: "Cast" },
  );
}

/** Converts elements: floats to integers are rounded towards zero, and all values except 0 become true. */
function cast(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const type = tfTypeOf(castType(context), node.name);
  return type === "bool" && x.dtype !== "bool" ? tf.notEqual(x, 0) : tf.cast(x, type);
}

/** Returns the operand unchanged, as in inference; random dropout would differ between engines. */
function dropout(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const isTraining = scalar(context, 2, 0) !== 0;
  if (isTraining && scalar(context, 1, 0.5) > 0) {
    throw new UnsupportedError(
      `Cannot compute node "${node.name}" on TensorFlow.js as a dropout must not draw at random: it is in training mode; feed its mask instead`,
      { feature: "Dropout in training mode" },
    );
  }
  return [x, tf.cast(tf.ones(x.shape), "bool")];
}

/** Operators of shapes, constants and conversions. */
export const SHAPE: Readonly<Record<string, TfjsOperator>> = {
  Shape: typed("i64", shape),
  Size: typed("i64", (context) => context.tf.scalar(operand(context, 0).size, "int32")),
  Constant: {
    compute: ({ tf, node }) => toTfTensor(tf, node.name, constantTensor(node)),
    types: ({ node }) => [constantTensor(node).dtype],
  },
  ConstantOfShape: { compute: filled, types: (context) => [filling(context).dtype] },
  Range: same(range),
  EyeLike: { compute: eyeLike, types: (context) => [eyeType(context)] },
  NonZero: typed("i64", nonZero),
  Cast: { compute: cast, types: (context) => [castType(context)] },
  CastLike: { compute: cast, types: (context) => [castType(context)] },
  Dropout: { compute: dropout, types: (context) => [operandType(context, 0), "bool"] },
};
