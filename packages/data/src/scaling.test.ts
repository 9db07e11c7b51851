import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  FASHION_MNIST_SCALING,
  MNIST_SCALING,
  recogniseScaling,
  scaleTables,
  UNIT_SCALING,
} from "./scaling.ts";

// Digests printed by packages/data/test/fixtures/generate.py, which runs PyTorch.
const PYTORCH = [
  ["MNIST", MNIST_SCALING, "0103dbab6b16bfcaea0aa75d7377b4b22bb6792081600921bee4a17ff9c4d33e"],
  [
    "Fashion-MNIST",
    FASHION_MNIST_SCALING,
    "897c26057ea3a3d3b3806b3c7f76a0d02f6d9bde09d1b5335f3f9f91fde2728d",
  ],
  ["unit", UNIT_SCALING, "010413efe9fc4438fee48de66c4d09f377b28af6a9fe2522201e8c1dbb831fc8"],
] as const;

describe("scaleTables()", () => {
  it.each(PYTORCH)("scaleTables() has the bits PyTorch computes, %s", (_, scaling, sha256) => {
    const [table = new Float32Array(0), ...others] = scaleTables(scaling, [1, 28, 28]);
    expect(others).toEqual([]);
    expect(
      createHash("sha256")
        .update(new Uint8Array(table.buffer as ArrayBuffer))
        .digest("hex"),
    ).toBe(sha256);
  });

  it.each([
    { mean: 0, std: 0 },
    { mean: 0, std: -1 },
    { mean: Number.NaN, std: 1 },
    { mean: 0, std: Number.POSITIVE_INFINITY },
  ])("scaleTables() refuses %o", (scaling) => {
    expect(() => scaleTables(scaling, [2])).toThrow(RangeError);
  });

  it("scaleTables() makes a table for each channel, and refuses more or fewer numbers than channels", () => {
    const tables = scaleTables({ mean: [0, 0.5, 1], std: 0.5 }, [3, 1, 1]);
    expect(tables.map((table) => [table[0], table[255]])).toEqual([
      [0, 2],
      [-1, 1],
      [-2, 0],
    ]);
    expect(() => scaleTables({ mean: [0, 1], std: 1 }, [3, 1, 1])).toThrow(
      /one of each for every channel of the examples, \[3, 1, 1\]: there are 2$/,
    );
    expect(() => scaleTables({ mean: [0, 1, 2], std: [1, 1] }, [3, 1, 1])).toThrow(/they are 2 and NaN$/);
    expect(() => scaleTables({ mean: [0, 1], std: 1 }, [2])).toThrow(/there are 2$/);
  });
});

describe("recogniseScaling()", () => {
  it("recogniseScaling() knows nothing of other images, of the same size or not", () => {
    expect(recogniseScaling(new Uint8Array(10_000 * 784))).toBeUndefined();
    expect(recogniseScaling(new Uint8Array(784))).toBeUndefined();
  });
});
