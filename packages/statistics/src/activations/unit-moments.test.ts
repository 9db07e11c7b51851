import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PairMoments } from "./pair-moments.ts";
import { UnitMoments } from "./unit-moments.ts";
import type { UnitPanel } from "./unit-view.ts";

/** Samples of two networks in batches of different sizes, some far from 0. */
const batches = fc
  .record({
    units: fc.integer({ min: 1, max: 4 }),
    inner: fc.integer({ min: 1, max: 6 }),
    sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
    offset: fc.constantFrom(0, 1, -1000),
  })
  .chain(({ units, inner, sizes, offset }) => {
    const panel = (outer: number): fc.Arbitrary<UnitPanel> =>
      fc
        .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 }), {
          minLength: outer * units * inner,
          maxLength: outer * units * inner,
        })
        .map((values) => ({ data: Float32Array.from(values, (x) => x + offset), outer, units, inner }));
    return fc.tuple(...sizes.map((outer) => fc.tuple(panel(outer), panel(outer))));
  });

/** Samples of a unit over all batches. */
function samplesOf(panels: readonly UnitPanel[], unit: number): number[] {
  return panels.flatMap(({ data, outer, units, inner }) =>
    Array.from({ length: outer }, (_, n) =>
      Array.from(data.subarray((n * units + unit) * inner, (n * units + unit + 1) * inner)),
    ).flat(),
  );
}

const meanOf = (samples: readonly number[]) => samples.reduce((sum, x) => sum + x, 0) / samples.length;

/** Covariance by two plain passes. */
function covarianceOf(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [meanOf(x), meanOf(y)];
  return meanOf(x.map((value, i) => (value - mx) * ((y[i] ?? 0) - my)));
}

const close = (got: number | undefined, wanted: number, scale: number) =>
  expect(Math.abs((got ?? Number.NaN) - wanted)).toBeLessThanOrEqual(1e-9 * scale);

describe("UnitMoments", () => {
  it("equals two plain passes, however samples fall into batches", () => {
    fc.assert(
      fc.property(batches, (pairs) => {
        const panels = pairs.map(([a]) => a);
        const moments = new UnitMoments();
        for (const panel of panels) moments.add(panel);
        const { count, mean, variance } = moments.result();
        mean.forEach((value, unit) => {
          const samples = samplesOf(panels, unit);
          expect(count).toBe(samples.length);
          close(value, meanOf(samples), 1 + Math.abs(meanOf(samples)));
          close(variance[unit], covarianceOf(samples, samples), 16);
        });
      }),
    );
  });
});

describe("PairMoments", () => {
  it("equals two plain passes, however samples fall into batches", async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (pairs) => {
        const moments = new PairMoments(undefined);
        for (const [a, b] of pairs) await moments.add(a, b);
        const { a, b, covariance } = moments.result();
        covariance.forEach((value, unit) => {
          const x = samplesOf(
            pairs.map(([first]) => first),
            unit,
          );
          const y = samplesOf(
            pairs.map(([, second]) => second),
            unit,
          );
          close(value, covarianceOf(x, y), 16);
          close(a.variance[unit], covarianceOf(x, x), 16);
          close(b.mean[unit], meanOf(y), 1 + Math.abs(meanOf(y)));
        });
      }),
    );
  });
});
