import { createRandom } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { bootstrapBarrier, type ExampleCurve } from "./bootstrap-barrier.ts";

const T = [0, 0.5, 1];
const SETTINGS = { resamples: 200, level: 0.9, seed: 1 };

/** Losses of examples whose mean at the middle is 1 above the ends, up to noise. */
function noisyCurve(examples: number, seed: number): ExampleCurve {
  const random = createRandom(seed, "curve");
  const common = Array.from({ length: examples }, () => 3 * random.normal());
  const values = T.map((t) => common.map((level) => level + (t === 0.5 ? 1 + random.normal() : 0)));
  return { t: T, values };
}

describe("bootstrapBarrier()", () => {
  it("gives the same interval for the same seed, another for another", () => {
    const curve = noisyCurve(50, 1);
    const [first] = bootstrapBarrier([curve], SETTINGS);
    expect(bootstrapBarrier([curve], SETTINGS)).toEqual([first]);
    expect(bootstrapBarrier([curve], { ...SETTINGS, seed: 2 })).not.toEqual([first]);
  });

  it("draws the same examples for all curves", () => {
    const curve = noisyCurve(50, 1);
    const doubled = { t: T, values: curve.values.map((row) => Array.from(row, (value) => 2 * value)) };
    const [one, two] = bootstrapBarrier([curve, doubled], SETTINGS);
    expect(two?.low).toBeCloseTo(2 * one!.low, 12);
    expect(two?.high).toBeCloseTo(2 * one!.high, 12);
  });

  it("has no width where all examples are equal", () => {
    const values = [0, 2, 0].map((value) => new Float64Array(20).fill(value));
    expect(bootstrapBarrier([{ t: T, values }], SETTINGS)).toEqual([{ low: 2, high: 2 }]);
    const flat = [1, 1, 1].map((value) => new Float64Array(20).fill(value / 3));
    expect(bootstrapBarrier([{ t: T, values: flat }], SETTINGS)).toEqual([{ low: 0, high: 0 }]);
  });

  it("works with one resample of one example", () => {
    const settings = { ...SETTINGS, resamples: 1 };
    expect(bootstrapBarrier([{ t: T, values: [[0], [1], [0]] }], settings)).toEqual([{ low: 1, high: 1 }]);
  });

  it("is wider for a higher level", () => {
    const curve = noisyCurve(50, 1);
    const intervals = [0.5, 0.9, 0.99].map((level) => bootstrapBarrier([curve], { ...SETTINGS, level })[0]!);
    const widths = intervals.map(({ low, high }) => high - low);
    expect(widths).toEqual([...widths].sort((a, b) => a - b));
    expect(widths[0]).toBeGreaterThan(0);
  });

  it("leaves as many resamples out below as above", () => {
    // One place differs from 0, for half of the examples: the barrier is the share of these that is drawn.
    const row = Float64Array.from({ length: 1000 }, (_, i) => (i < 500 ? 1 : 0));
    const zero = new Float64Array(1000);
    const [interval] = bootstrapBarrier([{ t: T, values: [zero, row, zero] }], {
      ...SETTINGS,
      resamples: 1000,
    });
    expect(interval!.low + interval!.high).toBeCloseTo(1, 2);
    // 1.645 deviations of a share of one half of 1000.
    expect(interval!.high - interval!.low).toBeCloseTo((2 * 1.645 * 0.5) / Math.sqrt(1000), 2);
  });

  it("covers the barrier it should in about as many cases as it says", () => {
    let covered = 0;
    for (let seed = 0; seed < 100; seed++) {
      const [interval] = bootstrapBarrier([noisyCurve(100, seed)], { resamples: 200, level: 0.9, seed });
      if (interval!.low <= 1 && 1 <= interval!.high) covered++;
    }
    // Binomial with 90 of 100 has a deviation of 3; percentile intervals are a little too narrow.
    expect(covered).toBeGreaterThan(78);
    expect(covered).toBeLessThan(99);
  });

  it("does not widen by what examples have in common", () => {
    const [interval] = bootstrapBarrier([noisyCurve(100, 3)], SETTINGS);
    // The noise of deviation 1 counts, the levels of deviation 3 do not.
    expect(interval!.high - interval!.low).toBeLessThan(0.5);
  });

  it("is NaN where the curve is", () => {
    const values = [
      [0, 0],
      [Number.NaN, 1],
      [0, 0],
    ];
    const [interval] = bootstrapBarrier([{ t: T, values }], { ...SETTINGS, resamples: 50, level: 0.999 });
    expect(interval!.high).toBeNaN();
  });
});
