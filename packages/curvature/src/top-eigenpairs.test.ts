import { InputError, OutOfRangeError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matrixOfSpectrum, matrixOperator } from "../../../test/helpers/matrix-operator.ts";
import { topEigenpairs } from "./top-eigenpairs.ts";

const rising = (values: readonly number[]) => [...values].sort((x, y) => x - y);

/** A few large eigenvalues above many small ones of either sign, as Hessians have them. */
const bulky = (size: number) =>
  Array.from({ length: size }, (_, i) => (i < 6 ? 40 / (i + 1) : Math.sin(i) * 0.5));

describe("topEigenpairs()", () => {
  test("computes both ends of a spectrum, with vectors and residuals", async () => {
    const spectrum = bulky(150);
    const operator = matrixOfSpectrum(spectrum, 1);
    const result = await topEigenpairs(operator, { count: 5, end: "both", tolerance: 1e-7, steps: 300 });
    const sorted = rising(spectrum);
    expect(result.converged).toBe(true);
    for (const [i, { value }] of result.smallest.entries()) expect(value).toBeCloseTo(sorted[i] as number, 5);
    for (const [i, { value }] of result.largest.entries())
      expect(value).toBeCloseTo(sorted.at(-1 - i) as number, 5);
    for (const { value, vector, residual } of [...result.largest, ...result.smallest]) {
      const product = new Float64Array(150);
      await operator.apply(vector, product);
      const left = product.map((x, i) => x - value * (vector[i] as number));
      expect(Math.abs(Math.hypot(...left) - residual)).toBeLessThan(1e-10);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 12);
    }
  });

  test("stops early at a loose tolerance, and says when steps were too few", async () => {
    const operator = matrixOfSpectrum(bulky(150), 2);
    const loose = await topEigenpairs(operator, { count: 3, tolerance: 1e-2 });
    expect(loose.converged).toBe(true);
    expect(loose.products).toBeLessThan(60);
    expect(loose.smallest).toEqual([]);
    const short = await topEigenpairs(operator, { count: 5, end: "smallest", tolerance: 1e-10, steps: 8 });
    expect(short).toMatchObject({ converged: false, products: 8, largest: [] });
  });

  test("lists every eigenvalue as often as it occurs if the space is all there is", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 }),
        fc.nat(1000),
        async (spectrum, seed) => {
          const { largest } = await topEigenpairs(matrixOfSpectrum(spectrum, seed), {
            count: 20,
            seed,
            tolerance: 0,
          });
          expect(largest).toHaveLength(spectrum.length);
          const expected = rising(spectrum).toReversed();
          for (const [i, { value }] of largest.entries()) expect(value).toBeCloseTo(expected[i] as number, 9);
        },
      ),
      { numRuns: 40, seed: 1 },
    ));

  test("lists eigenvalues that occur several times as often, though it stops early", async () => {
    const spectrum = [...Array<number>(6).fill(9), 8, 8, 7, ...bulky(140).slice(6)];
    const operator = matrixOfSpectrum(spectrum, 6);
    const { largest, converged, products } = await topEigenpairs(operator, {
      count: 9,
      tolerance: 1e-8,
      steps: 400,
    });
    expect(largest.map(({ value }) => value.toFixed(6))).toEqual(
      spectrum.slice(0, 9).map((value) => value.toFixed(6)),
    );
    expect(converged).toBe(true);
    expect(products).toBeGreaterThan(0);
    // Without the products to look again, it does not claim that there is nothing else.
    const few = await topEigenpairs(operator, { count: 1, tolerance: 1e-3, steps: 12 });
    expect(few.converged).toBe(false);
  });

  test("is the same for the same seed, and another start for another", async () => {
    const operator = matrixOfSpectrum(bulky(60), 3);
    const run = (seed: number) => topEigenpairs(operator, { count: 2, seed });
    expect(await run(1)).toEqual(await run(1));
    expect((await run(1)).largest[0]?.vector).not.toEqual((await run(2)).largest[0]?.vector);
  });

  test("refuses options out of range and products that are not finite, and stops when told", async () => {
    const operator = matrixOfSpectrum([1, 2], 0);
    await expect(topEigenpairs(operator, { count: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(topEigenpairs(operator, { tolerance: Number.NaN })).rejects.toThrow(OutOfRangeError);
    await expect(topEigenpairs(operator, { end: "middle" as never })).rejects.toThrow(
      "largest, smallest, both",
    );
    const infinite = matrixOperator(new Float64Array([1, 0, 0, Number.POSITIVE_INFINITY]));
    await expect(topEigenpairs(infinite)).rejects.toThrow(InputError);
    await expect(topEigenpairs(operator, { signal: AbortSignal.abort() })).rejects.toThrow("abort");
  });
});
