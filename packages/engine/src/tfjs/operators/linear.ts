import { at, sameShape, sizeOf } from "@isthmus/core";
import { broadcastShapes } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute, stringAttribute } from "@isthmus/graph/ir";
import { cannotCompute, type OperatorContext, operand, same, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";
import { broadcast } from "./layout.ts";

function gemm(context: OperatorContext): TfTensor {
  const { tf, node, inputs } = context;
  const alpha = floatAttribute(node, "alpha", 1);
  const beta = floatAttribute(node, "beta", 1);
  const [a, b, c] = [operand(context, 0), operand(context, 1), inputs[2]?.tensor];
  const isTransposed = (name: string) => intAttribute(node, name, 0) === 1;
  // The WebAssembly backend multiplies transposed operands by a plain loop, 5 times as slow as transposing
  // the operands first.
  const flip = (x: TfTensor, name: string) => (isTransposed(name) ? tf.transpose(x) : x);
  const result = tf.matMul(flip(a, "transA"), flip(b, "transB"));
  const scaled = alpha === 1 ? result : tf.mul(result, alpha);
  if (c === undefined) return scaled;
  return tf.add(scaled, beta === 1 ? c : tf.mul(c, beta));
}

/**
 * Multiplies matrices in the last two axes and broadcasts
 * the others; an operand of one axis is a row or a column.
 */
function matMul(context: OperatorContext): TfTensor {
  const { tf } = context;
  const [x, y] = [operand(context, 0), operand(context, 1)];
  const left = x.rank === 1 ? tf.reshape(x, [1, x.size]) : x;
  const right = y.rank === 1 ? tf.reshape(y, [y.size, 1]) : y;
  const result = multiply(tf, left, right);
  if (x.rank > 1 && y.rank > 1) return result;
  const rows = x.rank === 1 ? [] : result.shape.slice(-2, -1);
  const columns = y.rank === 1 ? [] : result.shape.slice(-1);
  return tf.reshape(result, [...result.shape.slice(0, -2), ...rows, ...columns]);
}

/**
 * Multiplies batches of matrices; operands are broadcast beforehand, as the gradient of a batched product in
 * TensorFlow.js does not sum over axes that were broadcast.
 */
function multiply(tf: Tfjs, x: TfTensor, y: TfTensor): TfTensor {
  const [rows, inner] = x.shape.slice(-2) as [number, number];
  const columns = at(y.shape, y.rank - 1, "axis");
  const outer = x.shape.slice(0, -2);
  if (y.rank === 2) {
    const flat = tf.reshape(x, [sizeOf(outer) * rows, inner]);
    return tf.reshape(tf.matMul(flat, y), [...outer, rows, columns]);
  }
  const batch = broadcastShapes(outer, y.shape.slice(0, -2));
  const stack = (matrix: TfTensor) => {
    const [height, width] = matrix.shape.slice(-2) as [number, number];
    const isWhole = sameShape(matrix.shape.slice(0, -2), batch);
    const full = isWhole ? matrix : broadcast(tf, matrix, [...batch, height, width]);
    return tf.reshape(full, [sizeOf(batch), height, width]);
  };
  return tf.reshape(tf.matMul(stack(x), stack(y)), [...batch, rows, columns]);
}

/**
 * Computes a product over named indices: all operands are laid out along all indices and multiplied, and
 * indices that are not in the result are summed over. The `einsum` of TensorFlow.js has no gradient.
 */
function einsum(context: OperatorContext): TfTensor {
  const { tf, node, inputs } = context;
  const equation = stringAttribute(node, "equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const isSupported = terms.length === inputs.length && /^[A-Za-z,]*$/.test(left);
  if (!isSupported || terms.some((term) => new Set(term).size < term.length)) {
    throw cannotCompute(
      context,
      "its operands must have distinct letters and no ellipsis",
      `it is ${equation}`,
    );
  }
  const letters = [...new Set(terms.join(""))];
  const once = letters.filter((letter) => left.split(letter).length === 2).sort();
  const result = right === undefined ? once : [...right];
  const summed = letters.filter((letter) => !result.includes(letter));
  const order = [...result, ...summed];
  const factors = terms.map((term, i) => alongLetters(tf, operand(context, i), { term, order }));
  const total = factors.reduce((product, factor) => tf.mul(product, factor));
  return summed.length === 0
    ? total
    : tf.sum(
        total,
        summed.map((_, i) => result.length + i),
      );
}

/**
 * Moves the axes that the letters of `term` name to their positions in `order`, with axes of extent 1
 * between.
 */
function alongLetters(
  tf: Tfjs,
  x: TfTensor,
  { term, order }: { readonly term: string; readonly order: readonly string[] },
): TfTensor {
  const letters = order.filter((letter) => term.includes(letter));
  const sorted =
    x.rank === 0
      ? x
      : tf.transpose(
          x,
          letters.map((letter) => term.indexOf(letter)),
        );
  return tf.reshape(
    sorted,
    order.map((letter) => (term.includes(letter) ? at(x.shape, term.indexOf(letter), "axis") : 1)),
  );
}

/** Matrix products. */
export const LINEAR: Readonly<Record<string, TfjsOperator>> = {
  Gemm: same(gemm),
  MatMul: same(matMul),
  Einsum: same(einsum),
};
