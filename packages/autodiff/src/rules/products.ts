import { at, sizeOf } from "@isthmus/core";
import { expand, gemm, matMul, mul, reshape, transposeLast, type Value } from "@isthmus/graph/builder";
import { floatAttribute, intAttribute, string, stringAttribute } from "@isthmus/graph/ir";
import type { GradientContext, GradientRule, GradientRules } from "../gradient-rule.ts";
import { reduceToShape } from "../reduce-to-shape.ts";

/**
 * Differentiates `y = a b`, a product over the last two axes with leading axes broadcast: `g b'` to `a` and
 * `a' g` to `b`, a prime for a transpose. A vector on the left is a row, a vector on the right a column.
 *
 * One matrix on the right, as in linear layers, makes both gradients single Gemms over all leading axes at
 * once: no value is broadcast that would have to be summed again.
 */
const matMulRule: GradientRule = (context) => {
  const [a, b] = [context.operand(0), context.operand(1)];
  const rows = a.shape.length === 1 ? reshape(a, [1, ...a.shape]) : a;
  const columns = b.shape.length === 1 ? reshape(b, [...b.shape, 1]) : b;
  const leading = rows.shape.length > columns.shape.length ? rows.shape : columns.shape;
  const g = context.cotangent();
  const [m, n] = [at(rows.shape, rows.shape.length - 2, "axis"), lastOf(columns.shape)];
  // Axes of extent 1 that vectors do not have are put back.
  const batch = g.shape.slice(0, leading.length - 2);
  const product = { a: rows, b: columns, g: reshape(g, [...batch, m, n]) };
  const parts = columns.shape.length === 2 ? flatGradients(product) : batchedGradients(product);
  return [
    context.needs(0) ? reshape(parts.forA(), a.shape) : undefined,
    context.needs(1) ? reshape(parts.forB(), b.shape) : undefined,
  ];
};

const lastOf = (shape: readonly number[]): number => at(shape, shape.length - 1, "axis");

/** Factors of a product, and the gradient for it, of its shape. */
interface Product {
  readonly a: Value;
  readonly b: Value;
  readonly g: Value;
}

interface ProductGradients {
  readonly forA: () => Value;
  readonly forB: () => Value;
}

function flatGradients({ a, b, g }: Product): ProductGradients {
  const flat = (x: Value) => reshape(x, [sizeOf(x.shape.slice(0, -1)), lastOf(x.shape)]);
  return {
    forA: () => gemm(flat(g), b, { transB: true }),
    forB: () => gemm(flat(a), flat(g), { transA: true }),
  };
}

function batchedGradients({ a, b, g }: Product): ProductGradients {
  return {
    forA: () => reduceToShape(matMul(g, transposeLast(b)), a.shape),
    forB: () => reduceToShape(matMul(transposeLast(a), g), b.shape),
  };
}

/**
 * Differentiates `y = alpha a' b' + beta c`, primes for optional transposes: to each factor one Gemm of `g`
 * with the other factor, to `c` `beta g`, summed where broadcast.
 */
const gemmRule: GradientRule = (context) => {
  const { node, needs, inputs } = context;
  const g = context.cotangent();
  const [a, b, c] = [context.operand(0), context.operand(1), inputs[2]];
  const transA = intAttribute(node, "transA", 0) !== 0;
  const transB = intAttribute(node, "transB", 0) !== 0;
  const alpha = floatAttribute(node, "alpha", 1);
  const beta = floatAttribute(node, "beta", 1);
  const forA = () =>
    transA ? gemm(b, g, { transA: transB, transB: true, alpha }) : gemm(g, b, { transB: !transB, alpha });
  const forB = () =>
    transB ? gemm(g, a, { transA: true, transB: transA, alpha }) : gemm(a, g, { transA: !transA, alpha });
  const forC = ({ shape }: Value) => {
    const reduced = reduceToShape(g, shape);
    return beta === 1 ? reduced : mul(reduced, beta);
  };
  return [
    needs(0) ? forA() : undefined,
    needs(1) ? forB() : undefined,
    c !== undefined && needs(2) ? forC(c) : undefined,
  ];
};

/**
 * Differentiates sums of products over named indices: to each operand the sum of products of `g` and the
 * other operands over the indices that the operand does not have.
 * @throws UnsupportedError if an operand names an index twice or has an ellipsis
 */
const einsumRule: GradientRule = (context) => {
  const equation = parseEquation(context);
  const values = equation.terms.map((_, i) => context.operand(i));
  return equation.terms.map((_, i) =>
    context.needs(i) ? einsumGradient(context, equation, { values, target: i }) : undefined,
  );
};

/** An equation such as `ij,jk->ik`: the index names of each operand and of the output. */
interface Equation {
  readonly terms: readonly string[];
  readonly output: string;
}

function parseEquation(context: GradientContext): Equation {
  const equation = stringAttribute(context.node, "equation", "").replaceAll(" ", "");
  const [left = "", output] = equation.split("->");
  const terms = left.split(",");
  const isPlain = terms.every((term) => !term.includes(".") && new Set(term).size === term.length);
  if (!isPlain) context.refuseVariant("must name every index once an operand, without dots", `"${equation}"`);
  // Without an arrow the output has the indices that occur once, in alphabetical order.
  const names = [...terms.join("")].sort();
  const once = names.filter((name, i) => name !== names[i - 1] && name !== names[i + 1]);
  return { terms, output: output ?? once.join("") };
}

/** All operands, and the position of the operand whose gradient is computed. */
interface EinsumTarget {
  readonly values: readonly Value[];
  readonly target: number;
}

function einsumGradient(
  context: GradientContext,
  { terms, output }: Equation,
  { values, target }: EinsumTarget,
): Value {
  const g = context.cotangent();
  const x = at(values, target, "operand");
  const isOther = (_: unknown, i: number) => i !== target;
  const names = [output, ...terms.filter(isOther)];
  const term = [...at(terms, target, "operand")];
  // The operand was summed over indices that no other has: the gradient does not change along them.
  const shared = term.filter((name) => names.some((other) => other.includes(name)));
  const extent = (name: string) => at(x.shape, term.indexOf(name), "axis");
  const [product] = context.builder.emit(
    "Einsum",
    [g, ...values.filter(isOther)],
    [{ dtype: x.dtype, shape: shared.map(extent) }],
    { attributes: { equation: string(`${names.join(",")}->${shared.join("")}`) } },
  );
  const lined = term.map((name) => (shared.includes(name) ? extent(name) : 1));
  return expand(reshape(product as Value, lined), x.shape);
}

/** Rules of products of matrices and of sums of products. */
export const PRODUCT_RULES: GradientRules = { Einsum: einsumRule, Gemm: gemmRule, MatMul: matMulRule };
