import type { DType } from "@isthmus/core";
import { type GraphBuilder, gemm, matMul, mul, type Value } from "@isthmus/graph/builder";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkGradient, checkHessian, type GradientCase } from "../../../test/helpers/check-gradient.ts";

const RUNS = { numRuns: 12 };

interface GemmCase {
  readonly sizes: readonly [number, number, number];
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
  readonly beta: number;
  /** Shape of the bias by which of its extents are 1; none without. */
  readonly bias: "none" | "full" | "row" | "column" | "vector" | "scalar";
}

const gemmCases = fc.record<GemmCase>({
  sizes: fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
  ),
  transA: fc.boolean(),
  transB: fc.boolean(),
  alpha: fc.constantFrom(1, 0.5, -2),
  beta: fc.constantFrom(1, 0.25),
  bias: fc.constantFrom("none", "full", "row", "column", "vector", "scalar"),
});

function buildGemm(given: GemmCase): GradientCase["build"] {
  const { sizes, transA, transB, alpha, beta, bias } = given;
  const [m, k, n] = sizes;
  return (b, dtype) => {
    const x = b.input("a", { dtype, shape: transA ? [k, m] : [m, k] });
    const y = b.weight("b", { dtype, shape: transB ? [n, k] : [k, n] });
    const shapes = { none: [], full: [m, n], row: [1, n], column: [m, 1], vector: [n], scalar: [] };
    const inputs = bias === "none" ? [x, y] : [x, y, b.weight("c", { dtype, shape: shapes[bias] })];
    return b.emit("Gemm", inputs, [{ dtype, shape: [m, n] }], {
      attributes: {
        transA: { type: "int", value: transA ? 1 : 0 },
        transB: { type: "int", value: transB ? 1 : 0 },
        alpha: { type: "float", value: alpha },
        beta: { type: "float", value: beta },
      },
    })[0]!;
  };
}

describe("rule of Gemm", () => {
  test("gradient() equals differences for all attributes", async () => {
    await fc.assert(
      fc.asyncProperty(gemmCases, (given) => checkGradient(buildGemm(given))),
      RUNS,
    );
  });

  test("hessianVectorProduct() equals differences of gradients", async () => {
    await fc.assert(
      fc.asyncProperty(gemmCases, (given) => checkHessian(buildGemm(given))),
      { numRuns: 5 },
    );
  });
});

/** Shapes of two operands of a product: vectors, matrices, and leading axes that are broadcast either way. */
const SHAPES: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[3], [3]],
  [[3], [3, 2]],
  [[2, 3], [3]],
  [[3], [2, 3, 4]],
  [[2, 4, 3], [3]],
  [
    [2, 3],
    [3, 4],
  ],
  [
    [2, 2, 3],
    [3, 4],
  ],
  [
    [1, 2, 3],
    [3, 4],
  ],
  [
    [2, 3],
    [2, 3, 4],
  ],
  [
    [2, 2, 3],
    [2, 3, 2],
  ],
  [
    [2, 1, 2, 3],
    [3, 3, 2],
  ],
  [
    [2, 1, 2, 3],
    [1, 2, 3, 2],
  ],
  [
    [2, 2, 3],
    [1, 3, 2],
  ],
];

function buildMatMul(a: readonly number[], b: readonly number[]): GradientCase["build"] {
  return (builder, dtype) => emitMatMul(builder, dtype, [a, b]);
}

function emitMatMul(
  builder: GraphBuilder,
  dtype: DType,
  [a, b]: readonly [readonly number[], readonly number[]],
): Value {
  const x = builder.input("x", { dtype, shape: a });
  const y = builder.weight("y", { dtype, shape: b });
  const rows = a.length === 1 ? [] : [a.at(-2)!];
  const columns = b.length === 1 ? [] : [b.at(-1)!];
  const [p, q] = [a.slice(0, -2), b.slice(0, -2)];
  const leading = Array.from({ length: Math.max(p.length, q.length) }, (_, i, at = i + 1) =>
    Math.max(p.at(-at) ?? 1, q.at(-at) ?? 1),
  ).reverse();
  return builder.emit("MatMul", [x, y], [{ dtype, shape: [...leading, ...rows, ...columns] }])[0]!;
}

describe.each(SHAPES)("rule of MatMul, %j by %j", (a, b) => {
  test("gradient() equals differences", () => checkGradient(buildMatMul(a, b)));
  test("hessianVectorProduct() equals differences of gradients", () => checkHessian(buildMatMul(a, b)));
});

test("rule of Gemm takes a value multiplied by itself", async () => {
  const build: GradientCase["build"] = (b, dtype) => {
    const x = b.input("x", { dtype, shape: [3, 3] });
    return mul(gemm(x, x, { transB: true }), matMul(x, x));
  };
  await expect(checkGradient(build)).resolves.toBeUndefined();
});
