import { describe, expect, test } from "vitest";
import { waves } from "../../../../test/helpers/waves.ts";
import { createKernel, hsic } from "./hsic.ts";

const SAMPLES = 9;

/** Products of every two of some samples. */
function kernelOf(seed: number, chosen: readonly number[]) {
  const rows = waves([SAMPLES, 3], seed, 1).data as Float32Array;
  const value = (i: number, j: number) => rows[i * 3 + j] ?? Number.NaN;
  const data = chosen.flatMap((i) =>
    chosen.map((k) => [0, 1, 2].reduce((sum, j) => sum + value(i, j) * value(k, j), 0)),
  );
  return createKernel(Float64Array.from(data), chosen.length);
}

function subsetsOf(size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  return Array.from({ length: SAMPLES - from }, (_, i) => from + i).flatMap((first) =>
    subsetsOf(size - 1, first + 1).map((rest) => [first, ...rest]),
  );
}

const meanOver = (subsets: readonly number[][], estimator: "unbiased" | "biased"): number =>
  subsets.reduce((sum, chosen) => sum + hsic(kernelOf(1, chosen), kernelOf(2, chosen), estimator), 0) /
  subsets.length;

describe("hsic()", () => {
  test.each([4, 5, 7])("the mean of the unbiased one over all subsets of %i is the one of all", (size) => {
    const [all] = subsetsOf(SAMPLES);
    const whole = meanOver([all ?? []], "unbiased");
    expect(Math.abs(meanOver(subsetsOf(size), "unbiased") / whole - 1)).toBeLessThan(1e-10);
    // The law tells the two estimators apart.
    const biased = meanOver([all ?? []], "biased");
    expect(Math.abs(meanOver(subsetsOf(size), "biased") / biased - 1)).toBeGreaterThan(1e-2);
  });
});
