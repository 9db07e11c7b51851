import { createTensor, type DType } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillMask } from "./create-step-runner.ts";

function maskOf(
  ratio: number,
  length: number,
  { seed = 0, step = 0, name = "mask", dtype = "f32" as DType } = {},
) {
  const data = dtype === "f64" ? new Float64Array(length) : new Float32Array(length);
  const shape = [length];
  fillMask({ name, ratio, dtype, shape }, createTensor(dtype, shape, data), { seed, step });
  return data;
}

describe("fillMask()", () => {
  it("fillMask() drops a share of elements and scales the others, so that the mean stays", () => {
    for (const ratio of [0.1, 0.5, 0.9]) {
      const mask = maskOf(ratio, 100_001);
      const scale = Math.fround(1 / (1 - ratio));
      expect(new Set(mask)).toEqual(new Set([0, scale]));
      const share = mask.filter((x) => x === 0).length / mask.length;
      // Five standard deviations of as many coins.
      expect(Math.abs(share - ratio)).toBeLessThan(5 * Math.sqrt((ratio * (1 - ratio)) / mask.length));
    }
  });

  it("fillMask() drops neighbours independently of each other", () => {
    const dropped = [...maskOf(0.5, 100_000)].map((x) => (x === 0 ? 1 : 0));
    for (const lag of [1, 2, 3, 512]) {
      const both = dropped.filter((x, i) => x === 1 && dropped[i + lag] === 1).length / dropped.length;
      expect(Math.abs(both - 0.25)).toBeLessThan(0.01);
    }
  });

  it("fillMask() depends on seed, step and name, and on nothing else", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 99 }), (seed, step, length) => {
        const whole = maskOf(0.5, 100, { seed, step });
        expect(maskOf(0.5, length, { seed, step })).toEqual(whole.slice(0, length));
        expect(maskOf(0.5, 100, { seed, step: step + 1 })).not.toEqual(whole);
        expect(maskOf(0.5, 100, { seed: seed + 1, step })).not.toEqual(whole);
        expect(maskOf(0.5, 100, { seed, step, name: "other" })).not.toEqual(whole);
      }),
    );
  });

  it("fillMask() fills masks of other element types alike", () => {
    expect([...maskOf(0.25, 50, { dtype: "f64" })]).toEqual([...maskOf(0.25, 50)]);
  });
});
