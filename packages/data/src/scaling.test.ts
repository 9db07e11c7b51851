import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  FASHION_MNIST_SCALING,
  MNIST_SCALING,
  recogniseScaling,
  scaleTable,
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

describe("scaleTable()", () => {
  it.each(PYTORCH)("scaleTable() has the bits PyTorch computes, %s", (_, scaling, sha256) => {
    const table = scaleTable(scaling);
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
  ])("scaleTable() refuses %o", (scaling) => {
    expect(() => scaleTable(scaling)).toThrow(RangeError);
  });
});

describe("recogniseScaling()", () => {
  it("recogniseScaling() knows nothing of other images, of the same size or not", () => {
    expect(recogniseScaling(new Uint8Array(10_000 * 784))).toBeUndefined();
    expect(recogniseScaling(new Uint8Array(784))).toBeUndefined();
  });
});
