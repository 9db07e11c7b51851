import { createRandom, InputError, OutOfRangeError } from "@isthmus/core";
import { invertOuterProducts } from "@isthmus/curvature";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("invertOuterProducts()", () => {
  test("undoes the damped mean of outer products, more or fewer than there are rows", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1e-3, 0.1, 10),
        fc.nat(1000),
        async (count, size, damping, seed) => {
          const random = createRandom(seed, "vectors");
          const draw = () => Float64Array.from({ length: size }, () => random.normal());
          const vectors = Array.from({ length: count }, draw);
          const x = draw();
          const damped = x.map((value) => damping * value);
          for (const g of vectors) {
            const part = g.reduce((sum, value, i) => sum + value * (x[i] as number), 0) / count;
            for (const [i, value] of g.entries()) damped[i] = (damped[i] as number) + part * value;
          }
          const out = new Float64Array(size);
          await invertOuterProducts(vectors, { damping }).apply(damped, out);
          for (const [i, value] of out.entries()) expect(value).toBeCloseTo(x[i] as number, 9);
        },
      ),
      { numRuns: 100, seed: 1 },
    ));

  test("refuses no damping, no vectors, and vectors of several lengths or that are not finite", () => {
    const vectors = [Float64Array.of(1, 2)];
    expect(() => invertOuterProducts(vectors, { damping: 0 })).toThrow(OutOfRangeError);
    expect(() => invertOuterProducts([])).toThrow(InputError);
    expect(() => invertOuterProducts([...vectors, Float64Array.of(1)])).toThrow("of one length");
    expect(() => invertOuterProducts([Float64Array.of(Number.NaN)])).toThrow("must be finite");
  });
});
