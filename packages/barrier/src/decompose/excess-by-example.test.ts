import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excessByExample } from "./excess-by-example.ts";

/** Losses of an example in A, in B and at the midpoint. */
const losses = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0, max: 20, noNaN: true })));
const examples = fc.array(losses, { minLength: 1, maxLength: 300 });

const columns = (rows: readonly (readonly number[])[]) => {
  const column = (index: number) => Float64Array.from(rows, (row) => row[index] ?? Number.NaN);
  return { a: column(0), b: column(1), midpoint: column(2) };
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const ascends = (values: readonly number[]) =>
  values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0));

describe("excessByExample()", () => {
  it("adds up to the excess, from the example that carries most of it down", () => {
    fc.assert(
      fc.property(examples, (rows) => {
        const { cumulative, rise, fall, rising, top, quantiles } = excessByExample(columns(rows), 3);
        const excesses = rows.map(([a = 0, b = 0, midpoint = 0]) => midpoint - (a + b) / 2);
        expect(cumulative.at(-1)?.share).toBe(1);
        expect(cumulative.at(-1)?.excess).toBeCloseTo(mean(excesses), 9);
        expect(rise - fall).toBeCloseTo(mean(excesses), 9);
        expect(rise).toBeCloseTo(mean(excesses.map((excess) => Math.max(0, excess))), 9);
        expect(rising).toBe(mean(excesses.map((excess) => (excess > 0 ? 1 : 0))));
        expect(ascends(cumulative.map(({ share }) => share))).toBe(true);
        expect(Math.max(...cumulative.map(({ excess }) => excess))).toBeLessThanOrEqual(rise + 1e-12);
        expect(ascends(quantiles.map(({ excess }) => excess))).toBe(true);
        expect(quantiles[0]?.excess).toBe(Math.min(...excesses));
        expect(quantiles.at(-1)?.excess).toBe(Math.max(...excesses));
        for (const { share, examples } of top) {
          expect(examples).toBe(Math.ceil((Math.round(1000 * share) * rows.length) / 1000));
        }
      }),
    );
  });

  it("lists the worst, and no others are worse", () => {
    fc.assert(
      fc.property(examples, fc.nat({ max: 20 }), (rows, count) => {
        const { worst } = excessByExample(columns(rows), count);
        expect(worst).toHaveLength(Math.min(count, rows.length));
        expect(ascends(worst.map(({ excess }) => -excess))).toBe(true);
        const least = worst.at(-1)?.excess ?? Number.POSITIVE_INFINITY;
        for (const [index, [a = 0, b = 0, midpoint = 0]] of rows.entries()) {
          const excess = midpoint - (a + b) / 2;
          const listed = worst.find((example) => example.index === index);
          if (listed === undefined) expect(excess).toBeLessThanOrEqual(least);
          else expect(listed).toEqual({ index, a, b, midpoint, excess });
        }
      }),
    );
  });

  it("says which share of the examples carries half, and what the first percents carry", () => {
    // One of 200 rises by 10, one by 6; all others by nothing but one that falls by 1.
    const rows = Array.from({ length: 200 }, (_, i) => [1, 1, i === 7 ? 11 : i === 9 ? 7 : i === 3 ? 0 : 1]);
    const { half, top, rising, rise, fall, cumulative, worst } = excessByExample(columns(rows), 2);
    expect(half).toBe(1 / 200);
    expect(top).toEqual([
      { share: 0.01, examples: 2, excess: 0.08, ofExcess: 16 / 15 },
      { share: 0.1, examples: 20, excess: 0.08, ofExcess: 16 / 15 },
    ]);
    expect([rising, rise, fall].map((value) => Number(value.toFixed(12)))).toEqual([0.01, 0.08, 0.005]);
    expect(cumulative.slice(0, 3)).toEqual([
      { share: 0, excess: 0 },
      { share: 1 / 200, excess: 0.05 },
      { share: 2 / 200, excess: 0.08 },
    ]);
    expect(worst.map(({ index }) => index)).toEqual([7, 9]);
  });

  it("gives no shares of an excess that is none", () => {
    const { half, top, rise, fall } = excessByExample(columns([[1, 1, 1]]), 1);
    expect([half, top[0]?.ofExcess]).toEqual([Number.NaN, Number.NaN]);
    expect([rise, fall]).toEqual([0, 0]);
  });
});
