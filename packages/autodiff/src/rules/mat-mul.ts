import { sizeOf } from "@isthmus/core";
import { gemm, matMul, reshape, transposeLast, type Value } from "@isthmus/graph/builder";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/**
 * `y = a b` on the last two axes, leading axes broadcast; a vector on the left is a row, one on the right a column.
 *
 * One matrix on the right, as in linear layers, makes both gradients single Gemms over all leading axes at once: nothing is
 * broadcast that would have to be summed again.
 */
export const matMulRule: GradientRule = (context) => {
  const [a, b] = [operand(context, 0), operand(context, 1)];
  const rows = a.shape.length === 1 ? reshape(a, [1, a.shape[0] ?? 0]) : a;
  const columns = b.shape.length === 1 ? reshape(b, [b.shape[0] ?? 0, 1]) : b;
  const leading = rows.shape.length > columns.shape.length ? rows.shape : columns.shape;
  const given = cotangent(context);
  const [m = 0, n = 0] = [rows.shape.at(-2), columns.shape.at(-1)];
  // Axes of extent 1 that vectors do not have are put back.
  const batch = given.shape.slice(0, leading.length - 2);
  const task = { a: rows, b: columns, given: reshape(given, [...batch, m, n]) };
  const parts = columns.shape.length === 2 ? flatGradients(task) : batchedGradients(task);
  return [
    context.needs(0) ? reshape(parts.forA(), a.shape) : undefined,
    context.needs(1) ? reshape(parts.forB(), b.shape) : undefined,
  ];
};

interface Product {
  readonly a: Value;
  readonly b: Value;
  /** Gradient for the product, of its shape. */
  readonly given: Value;
}

interface ProductGradients {
  readonly forA: () => Value;
  readonly forB: () => Value;
}

function flatGradients({ a, b, given }: Product): ProductGradients {
  const flat = (x: Value) => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) ?? 0]);
  return {
    forA: () => gemm(flat(given), b, { transB: true }),
    forB: () => gemm(flat(a), flat(given), { transA: true }),
  };
}

function batchedGradients({ a, b, given }: Product): ProductGradients {
  return {
    forA: () => reduceToShape(matMul(given, transposeLast(b)), a.shape),
    forB: () => reduceToShape(matMul(transposeLast(a), given), b.shape),
  };
}
