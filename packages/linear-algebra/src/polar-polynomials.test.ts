import fc from "fast-check";
import { expect, test } from "vitest";
import { polarPolynomials } from "./polar-polynomials.ts";

const applyAll = (polynomials: ReturnType<typeof polarPolynomials>, from: number) =>
  polynomials.reduce((s, { linear, cubic, quintic }) => linear * s + cubic * s ** 3 + quintic * s ** 5, from);

test("polynomials map all values from the smallest on to 1, and never change a sign", () =>
  fc.assert(
    fc.property(
      fc.double({ min: -9, max: -0.01, noNaN: true }),
      fc.constantFrom(1e-7, 1e-15),
      (exponent, error) => {
        const smallest = 10 ** exponent;
        const polynomials = polarPolynomials(smallest, error);
        expect(polynomials.length).toBeLessThan(20);
        for (let i = 0; i <= 400; i++) {
          const share = i / 400;
          expect(Math.abs(applyAll(polynomials, smallest ** share) - 1)).toBeLessThan(error + 1e-14);
          expect(applyAll(polynomials, smallest * share)).toBeGreaterThanOrEqual(0);
          // What rounding in f32 makes of the largest value must stay harmless.
          expect(Math.abs(applyAll(polynomials, 1 + 1e-6 * share) - 1)).toBeLessThan(1e-6);
        }
      },
    ),
  ));

test("fewer steps are needed than by one polynomial again and again", () => {
  expect(polarPolynomials(1e-5, 1e-7)).toHaveLength(11);
  expect(polarPolynomials(1e-9, 1e-15)).toHaveLength(18);
});
