import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DimensionAccuracy, findCrossing, fitRising } from "./isotonic.ts";
import { logInterval } from "./log-interval.ts";
import { nextDimension } from "./next-dimension.ts";

const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe("fitRising()", () => {
  it("rises, has the same sum, and leaves what rises as it is", () => {
    fc.assert(
      fc.property(values, (values) => {
        const fitted = fitRising(values);
        expect(fitted).toHaveLength(values.length);
        for (const [i, value] of fitted.entries()) expect(value).toBeGreaterThanOrEqual(fitted[i - 1] ?? 0);
        expect(sum(fitted)).toBeCloseTo(sum(values), 9);
        const sorted = values.toSorted((a, b) => a - b);
        fitRising(sorted).forEach((value, i) => {
          expect(value).toBeCloseTo(sorted[i] ?? Number.NaN, 12);
        });
      }),
    );
  });

  it("replaces runs that fall by their means", () => {
    expect(fitRising([1, 3, 2, 4])).toEqual([1, 2.5, 2.5, 4]);
    expect(fitRising([3, 2, 1])).toEqual([2, 2, 2]);
  });
});

describe("findCrossing()", () => {
  it("crosses a straight line over logarithms of dimensions where it does", () => {
    const points = [10, 100, 1000].map((dimension, i) => ({ dimension, accuracy: 0.2 + 0.3 * i }));
    expect(findCrossing(points, 0.65)).toMatchObject({ missed: 100, reached: 1000 });
    expect(findCrossing(points, 0.65)?.dimension).toBeCloseTo(Math.sqrt(1e5), 6);
    expect(findCrossing(points, 0.1)).toEqual({ reached: 10, dimension: 10 });
    expect(findCrossing(points, 0.9)).toBeUndefined();
  });
});

describe("nextDimension()", () => {
  const rules = { line: 0.9, first: 100, least: 1, most: 5000, resolution: 0.1 };

  /** Runs a whole search for a function of the dimension. */
  function search(accuracyOf: (dimension: number) => number, more: Partial<typeof rules> = {}) {
    const points: DimensionAccuracy[] = [];
    for (;;) {
      const dimension = nextDimension(points, { ...rules, ...more });
      if (dimension === undefined) return points;
      expect(points.map((point) => point.dimension)).not.toContain(dimension);
      points.push({ dimension, accuracy: accuracyOf(dimension) });
      points.sort((a, b) => a.dimension - b.dimension);
    }
  }

  it("finds the place of a step to within the resolution, wherever it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5000 }), fc.integer({ min: 1, max: 5000 }), (place, first) => {
        const points = search((dimension) => (dimension >= place ? 1 : 0.1), { first });
        const crossing = findCrossing(points, 0.9);
        expect(crossing?.reached).toBeGreaterThanOrEqual(place);
        expect(crossing?.missed).toBeLessThan(place);
        const width = (crossing?.reached ?? 0) - (crossing?.missed ?? 0);
        expect(width).toBeLessThanOrEqual(Math.max(1, 0.1 * (crossing?.missed ?? 0)));
      }),
    );
  });

  it("ends for accuracies of any kind, each dimension measured once", () => {
    fc.assert(
      fc.property(fc.func(fc.double({ min: 0, max: 1, noNaN: true })), (accuracyOf) => {
        expect(search(accuracyOf).length).toBeLessThan(100);
      }),
    );
  });

  it("ends at both ends", () => {
    expect(search(() => 1).map(({ dimension }) => dimension)).toEqual([1, 3, 6, 12, 25, 50, 100]);
    expect(search(() => 0).at(-1)).toEqual({ dimension: 5000, accuracy: 0 });
  });
});

describe("logInterval()", () => {
  it("is Student's t on logarithms", () => {
    // Logarithms 1, 2, 3: mean 2, standard error 1 / sqrt(3), t of 2 degrees 4.3027.
    const { low, high } = logInterval([1, 2, 3].map(Math.exp));
    expect(Math.log(low)).toBeCloseTo(2 - 4.3027 / Math.sqrt(3), 6);
    expect(Math.log(high)).toBeCloseTo(2 + 4.3027 / Math.sqrt(3), 6);
    // SciPy: t.ppf(0.975, 9) = 2.2621571628.
    const tenth = logInterval([-1, 1, -1, 1, -1, 1, -1, 1, -1, 1].map(Math.exp));
    const error = Math.sqrt(10 / 9 / 10);
    expect(Math.log(tenth.high) / error).toBeCloseTo(2.26216, 2);
  });
});
