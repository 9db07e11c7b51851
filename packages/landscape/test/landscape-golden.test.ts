import { readFileSync } from "node:fs";
import { createCheckpoint, type DType, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type MeasureLandscapeOptions, measureLandscape } from "@isthmus/landscape";
import { describe, expect, test } from "vitest";
import { doubleExamples } from "../../../test/helpers/double-examples.ts";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";

interface Losses {
  readonly axis: readonly number[];
  readonly loss: readonly number[];
}

/** What PyTorch computes, in f64; see tools/golden/landscape.py. */
const golden: {
  readonly seed: number;
  readonly plane: Losses;
  readonly line: Losses & { readonly eigenvalue: number };
} = JSON.parse(readFileSync(new URL("golden/landscape.json", import.meta.url), "utf8"));

const EXAMPLES = 14;
const asType = ({ shape, data }: Tensor, dtype: DType): Tensor =>
  dtype === "f32" ? { dtype, shape, data } : { dtype, shape, data: Float64Array.from(data as Float32Array) };

function measure(dtype: "f32" | "f64", options: MeasureLandscapeOptions) {
  const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 3);
  const weights = new Map([...twoLayerWeights(1, 0.8)].map(([name, w]) => [name, asType(w, dtype)]));
  const examples = createDataSet(waves([EXAMPLES, 5], 10, 1.5), labels, { name: "waves" });
  return measureLandscape(
    { graph: twoLayerMlp({ dtype, batchName: "N" }), engine: createOnnxRuntimeEngine() },
    { network: { label: "waves", network: createCheckpoint(weights, {}, "waves") } },
    dtype === "f64" ? doubleExamples(examples) : examples,
    options,
  );
}

function largestDifference(one: readonly number[], other: readonly number[]): number {
  expect(one).toHaveLength(other.length);
  return Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));
}

describe.each([
  ["f64", 1e-7],
  ["f32", 1e-6],
] as const)("losses of PyTorch, in %s", (dtype, tolerance) => {
  test("are what a plane along random directions has, whose filters have the norms of the network's", async () => {
    const { seed, plane } = golden;
    const result = await measure(dtype, { seed, points: plane.axis.length });
    expect(result.axes).toEqual([plane.axis, plane.axis]);
    expect(largestDifference(result.loss, plane.loss)).toBeLessThan(tolerance);
  });

  test("are what a line along the first eigenvector has, whose curvature is its eigenvalue", async () => {
    const { axis, loss, eigenvalue } = golden.line;
    const result = await measure(dtype, {
      ...{ directions: "eigenvectors", dimensions: 1, points: axis.length, range: [-2, 2] },
    });
    expect(result.axes).toEqual([axis]);
    const [direction] = result.basis;
    expect(Math.abs((direction?.eigenvalue ?? Number.NaN) - eigenvalue)).toBeLessThan(10 * tolerance);
    expect(Math.abs((direction?.curvature ?? Number.NaN) - eigenvalue)).toBeLessThan(10 * tolerance);
    expect(direction?.length).toBeCloseTo(1, 6);
    // The vector has converged to a part of 1e-4 of the largest eigenvalue.
    expect(largestDifference(result.loss, loss)).toBeLessThan(1e-4);
  });
});
