import { type DType, type Tensor, UnsupportedError } from "@isthmus/core";
import { dtypeOfCode } from "@isthmus/graph";
import { intAttribute, wrapAxis } from "@isthmus/graph/ir";
import { numbers, type OperatorContext, operand, same, type TfjsOperator, typed } from "../operator.ts";
import { tfTypeOf, toTfTensor } from "../tensors.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

function shape(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const clamp = (axis: number) => Math.min(Math.max(wrapAxis(axis, x.rank), 0), x.rank);
  const start = clamp(intAttribute(context.node, "start", 0));
  const end = clamp(intAttribute(context.node, "end", x.rank));
  return context.tf.tensor1d(x.shape.slice(start, end), "int32");
}

/** The tensor that an attribute of a constant holds, whichever attribute it is. */
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

/** The value that `ConstantOfShape` repeats. */
function filling({ node }: OperatorContext): Tensor {
  const value = node.attributes.get("value");
  return value?.type === "tensor" ? value.value : { dtype: "f32", shape: [1], data: Float32Array.of(0) };
}

function filled(context: OperatorContext): TfTensor {
  const { dtype, data } = filling(context);
  return fill(context.tf, numbers(context, 0) ?? [], { value: Number(data[0] ?? 0), dtype });
}

/** Truth values are filled as integers, since not every backend fills them. */
function fill(
  tf: Tfjs,
  extents: number[],
  { value, dtype }: { readonly value: number; readonly dtype: DType },
): TfTensor {
  const type = tfTypeOf(dtype, "value");
  return type === "bool" ? tf.cast(tf.fill(extents, value, "int32"), "bool") : tf.fill(extents, value, type);
}

function range(context: OperatorContext): TfTensor {
  const at = (index: number) => Number(numbers(context, index)?.[0] ?? 0);
  const [start, limit, step] = [at(0), at(1), at(2)];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  const values = Array.from({ length: count }, (_, i) => start + i * step);
  return context.tf.tensor1d(values, operand(context, 0).dtype as "float32" | "int32");
}

/** A unit diagonal, moved up by `k`, of the extents of the operand. */
function eyeLike(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const [rows = 0, columns = 0] = operand(context, 0).shape;
  const k = intAttribute(node, "k", 0);
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
  );
  return tf.cast(tf.tensor2d(values, [rows, columns]), tfTypeOf(eyeType(context), node.name));
}

const eyeType = ({ node, inputs }: OperatorContext): DType =>
  dtypeOfCode(intAttribute(node, "dtype", 0)) ?? inputs[0]?.dtype ?? "f32";

/** Positions of elements that are not zero, `[rank, count]`. */
function nonZero(context: OperatorContext): TfTensor {
  const x = operand(context, 0);
  const found = (numbers(context, 0) ?? []).flatMap((value, i) => (value === 0 ? [] : [i]));
  let stride = x.size;
  const rows = x.shape.flatMap((extent) => {
    stride /= extent;
    return found.map((index) => Math.floor(index / stride) % extent);
  });
  return context.tf.tensor2d(rows, [x.rank, found.length], "int32");
}

/** The element type a cast goes to. @throws UnsupportedError if it is none of ours */
function castType({ node, inputs }: OperatorContext): DType {
  if (node.op === "CastLike") return inputs[1]?.dtype ?? "f32";
  const dtype = dtypeOfCode(intAttribute(node, "to", 0));
  if (dtype !== undefined) return dtype;
  throw new UnsupportedError(
    `Cannot compute node "${node.name}" as it must cast to a number type: it has code ${intAttribute(node, "to", 0)}`,
    { feature: "Cast" },
  );
}

/** Conversion; of floats to integers towards zero, of everything but 0 to true. */
function cast(context: OperatorContext): TfTensor {
  const { tf, node } = context;
  const x = operand(context, 0);
  const type = tfTypeOf(castType(context), node.name);
  return type === "bool" && x.dtype !== "bool" ? tf.notEqual(x, 0) : tf.cast(x, type);
}

/** In inference a dropout passes everything on; drawing at random would not be the same on two engines. */
function dropout(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const x = operand(context, 0);
  const isTraining = (numbers(context, 2)?.[0] ?? 0) !== 0;
  if (isTraining && (numbers(context, 1)?.[0] ?? 0.5) > 0) {
    throw new UnsupportedError(
      `Cannot compute node "${node.name}" on TensorFlow.js as a dropout must not draw at random: it is in training mode; feed its mask instead`,
      { feature: "Dropout in training mode" },
    );
  }
  return [x, tf.cast(tf.ones(x.shape), "bool")];
}

/** Shapes, constants, conversions. */
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
  Dropout: { compute: dropout, types: ({ inputs }) => [inputs[0]?.dtype ?? "f32", "bool"] },
};
