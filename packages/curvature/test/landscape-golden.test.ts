import { readFileSync } from "node:fs";
import { createCheckpoint } from "@isthmus/core";
import { type MeasureLandscapeOptions, measureLandscape } from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, test } from "vitest";
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
function measure(options: MeasureLandscapeOptions) {
  const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 3);
  const examples = createDataSet(waves([EXAMPLES, 5], 10, 1.5), labels, { name: "waves" });
  return measureLandscape(
    { graph: twoLayerMlp({ batchName: "N" }), engine: createOnnxRuntimeEngine() },
    { network: { label: "waves", network: createCheckpoint(twoLayerWeights(1, 0.8), {}, "waves") } },
    examples,
    options,
  );
}

function largestDifference(one: readonly number[], other: readonly number[]): number {
  expect(one).toHaveLength(other.length);
  return Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));
}

/** Rounding of an f32 graph, whose losses are near 1. */
const TOLERANCE = 5e-7;

describe("losses of PyTorch", () => {
  test("are what a plane along random directions has, whose filters have the norms of the network's", async () => {
    const { seed, plane } = golden;
    const result = await measure({ seed, points: plane.axis.length });
    expect(result.axes).toEqual([plane.axis, plane.axis]);
    expect(largestDifference(result.loss, plane.loss)).toBeLessThan(TOLERANCE);
  });

  test("are what a line along the first eigenvector has, whose curvature is its eigenvalue", async () => {
    const { axis, loss, eigenvalue } = golden.line;
    const result = await measure({
      ...{ directions: "eigenvectors", dimensions: 1, points: axis.length, range: [-2, 2] },
    });
    expect(result.axes).toEqual([axis]);
    const [direction] = result.basis;
    expect(Math.abs((direction?.eigenvalue ?? Number.NaN) - eigenvalue)).toBeLessThan(10 * TOLERANCE);
    expect(Math.abs((direction?.curvature ?? Number.NaN) - eigenvalue)).toBeLessThan(10 * TOLERANCE);
    expect(direction?.length).toBeCloseTo(1, 6);
    // The vector has converged to a part of 1e-4 of the largest eigenvalue.
    expect(largestDifference(result.loss, loss)).toBeLessThan(1e-4);
  });
});
