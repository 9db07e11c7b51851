import { readFileSync } from "node:fs";
import { type Checkpoint, createCheckpoint, type DType, type Tensor } from "@isthmus/core";
import {
  type CurvatureOperator,
  empiricalFisher,
  estimateTrace,
  gaussNewton,
  hessian,
  measureCurvature,
  topEigenpairs,
} from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, test } from "vitest";
import { doubleExamples } from "../../../test/helpers/double-examples.ts";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";

type ExactKind = keyof typeof OPERATORS;

/** What PyTorch computes, in f64; see tools/golden/curvature.py. */
const golden: {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly matrices: readonly {
    readonly operator: ExactKind;
    readonly eigenvalues: readonly number[];
    readonly trace: number;
    readonly product: readonly number[];
  }[];
} = JSON.parse(readFileSync(new URL("golden/curvature.json", import.meta.url), "utf8"));

const EXAMPLES = 14;
const SIZE = 39;
const OPERATORS = { hessian, "gauss-newton": gaussNewton, "empirical-fisher": empiricalFisher };

const engine = createOnnxRuntimeEngine();
const asType = ({ shape, data }: Tensor, dtype: DType): Tensor =>
  dtype === "f32" ? { dtype, shape, data } : { dtype, shape, data: Float64Array.from(data as Float32Array) };

function problem(dtype: "f32" | "f64") {
  const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 3);
  const weights = new Map([...twoLayerWeights(1, 0.8)].map(([name, w]) => [name, asType(w, dtype)]));
  const examples = createDataSet(waves([EXAMPLES, 5], 10, 1.5), labels, { name: "waves" });
  return {
    architecture: { graph: twoLayerMlp({ dtype, batchName: "N" }), engine },
    network: createCheckpoint(weights, {}, "waves") as Checkpoint,
    data: dtype === "f64" ? doubleExamples(examples) : examples,
  };
}

async function withOperator<T>(
  { kind, dtype, batchSize = 4 }: { kind: ExactKind; dtype: "f32" | "f64"; batchSize?: number },
  use: (operator: CurvatureOperator) => Promise<T>,
): Promise<T> {
  const { architecture, network, data } = problem(dtype);
  const operator = await OPERATORS[kind](architecture, network, data, { batchSize });
  try {
    return await use(operator);
  } finally {
    await operator.release();
  }
}

describe.each(golden.matrices)(
  "the $operator of PyTorch",
  ({ operator: kind, eigenvalues, trace, product }) => {
    test("is what products are of, in f64 and f32, whatever the batches", async () => {
      const vector = Float64Array.from(waves([SIZE], 20, 1).data as Float32Array);
      for (const batchSize of [4, 14, 1]) {
        const out = await withOperator({ kind, dtype: "f64", batchSize }, async (operator) => {
          expect(operator).toMatchObject({ kind, derivatives: "exact", dimension: SIZE, examples: EXAMPLES });
          const result = new Float64Array(SIZE);
          await operator.apply(vector, result);
          return result;
        });
        for (const [i, x] of out.entries())
          expect(Math.abs(x - (product[i] ?? Number.NaN))).toBeLessThan(1e-13);
      }
      const single = await withOperator({ kind, dtype: "f32" }, async (operator) => {
        const result = new Float64Array(SIZE);
        await operator.apply(vector, result);
        return result;
      });
      for (const [i, x] of single.entries())
        expect(Math.abs(x - (product[i] ?? Number.NaN))).toBeLessThan(2e-6);
    });

    test("is what products are of where the graph fixes its batch, whose last one is filled up", async () => {
      const { architecture, network, data } = problem("f32");
      const fixed = { ...architecture, graph: twoLayerMlp() };
      const operator = await OPERATORS[kind](fixed, network, data);
      const result = new Float64Array(SIZE);
      await operator.apply(Float64Array.from(waves([SIZE], 20, 1).data as Float32Array), result);
      await operator.release();
      for (const [i, x] of result.entries())
        expect(Math.abs(x - (product[i] ?? Number.NaN))).toBeLessThan(2e-6);
    });

    test("has the same eigenvalues and trace", async () => {
      await withOperator({ kind, dtype: "f64" }, async (operator) => {
        const pairs = await topEigenpairs(operator, { count: 10, end: "both", tolerance: 0 });
        for (const [i, { value }] of pairs.largest.entries())
          expect(value).toBeCloseTo(eigenvalues[i] as number, 12);
        for (const [i, { value }] of pairs.smallest.entries())
          expect(value).toBeCloseTo(eigenvalues.at(-1 - i) as number, 12);
        expect((await estimateTrace(operator)).trace).toBeCloseTo(trace, 12);
      });
    });
  },
);

test("measureCurvature() has PyTorch's loss, gradient, eigenvalues and trace, and the same bytes again", async () => {
  const { architecture, network, data } = problem("f64");
  const measure = () =>
    measureCurvature(architecture, network, data, {
      ...{ count: 3, points: 50, tolerance: 1e-9 },
      traceProducts: 100,
    });
  const result = await measure();
  const { eigenvalues: exact = [], trace = Number.NaN } = golden.matrices[0] ?? {};
  expect(result.loss).toBeCloseTo(golden.loss, 12);
  expect(result.gradientNorm).toBeCloseTo(golden.gradientNorm, 12);
  expect(result.eigenvalues?.largest.map(({ value }) => value.toFixed(8))).toEqual(
    exact.slice(0, 3).map((value) => value.toFixed(8)),
  );
  expect(result.trace?.trace).toBeCloseTo(trace, 10);
  expect(JSON.stringify(await measure())).toBe(JSON.stringify(result));
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
});
