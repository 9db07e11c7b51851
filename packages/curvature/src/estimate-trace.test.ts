import { OutOfRangeError } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { matrixOfSpectrum } from "../../../test/helpers/matrix-operator.ts";
import { estimateTrace } from "./estimate-trace.ts";

const SIZE = 160;
const spectrum = Array.from({ length: SIZE }, (_, i) => (i < 4 ? 30 / (i + 1) : 1 / (1 + i / 10)));
const exact = spectrum.reduce((sum, x) => sum + x, 0);
const operator = matrixOfSpectrum(spectrum, 4);

describe("estimateTrace()", () => {
  test("is within two standard errors for about 95 of 100 seeds", async () => {
    let within = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { trace, standardError } = await estimateTrace(operator, {
        products: 90,
        relativeError: 0,
        seed,
      });
      if (Math.abs(trace - exact) <= 2 * standardError) within += 1;
    }
    // 95 +- 2.2 would be a standard deviation; 30 samples give slightly fewer.
    expect(within).toBeGreaterThanOrEqual(88);
    expect(within).toBeLessThan(100);
  });

  test("has a smaller error than random signs alone", async () => {
    // Of signs alone the variance is twice the sum of squares outside the diagonal.
    const squares = spectrum.reduce((sum, x) => sum + x * x, 0);
    const { standardError, products } = await estimateTrace(operator, { relativeError: 0 });
    expect(products).toBe(100);
    expect(standardError).toBeLessThan(0.2 * Math.sqrt((2 * squares) / 100));
  });

  test("stops once the relative error is reached", async () => {
    const { products, converged, samples, trace, standardError } = await estimateTrace(operator, {
      relativeError: 0.05,
    });
    expect(converged).toBe(true);
    expect(products).toBeLessThan(100);
    expect(products).toBe(2 * 33 + samples);
    expect(standardError).toBeLessThanOrEqual(0.05 * trace);
    expect((await estimateTrace(operator, { relativeError: 1e-9 })).converged).toBe(false);
  });

  test("is exact for an operator of few rows, and of low rank", async () => {
    const small = await estimateTrace(matrixOfSpectrum([1, -2, 4.5], 0));
    expect(small).toMatchObject({ standardError: 0, products: 3, converged: true });
    expect(small.trace).toBeCloseTo(3.5, 12);
    const low = matrixOfSpectrum([5, -2, ...Array<number>(148).fill(0)], 1);
    const { trace, standardError } = await estimateTrace(low);
    expect(trace).toBeCloseTo(3, 10);
    expect(standardError).toBeLessThan(1e-10);
  });

  test("refuses options out of range", async () => {
    await expect(estimateTrace(operator, { products: 5 })).rejects.toThrow(OutOfRangeError);
    await expect(estimateTrace(operator, { relativeError: -1 })).rejects.toThrow(OutOfRangeError);
  });
});
