import { at } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { times } from "../matrices/square-matrices.ts";
import { createMoments } from "./moving-adam.ts";
import { orthogonalStep } from "./orthogonal-step.ts";

const SIZE = 4;
const squares = fc
  .array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: SIZE ** 2, maxLength: SIZE ** 2 })
  // Not near a singular matrix, whose orthogonal factor is not determined.
  .map((list) => Float64Array.from(list, (value, i) => value + (i % (SIZE + 1) === 0 ? 9 : 0)));

const transposed = (m: Float64Array) => m.map((_, i) => at(m, (i % SIZE) * SIZE + Math.floor(i / SIZE), "n"));

test("orthogonalStep() is near a multiple of an orthogonal matrix, whatever the size of the gradient", () => {
  fc.assert(
    fc.property(squares, fc.constantFrom(1e-6, 1, 1e6), (x, size) => {
      const gradient = x.map((value) => size * value);
      const step = orthogonalStep(gradient, createMoments(SIZE ** 2), SIZE);
      const gram = times(step, transposed(step), SIZE);
      gram.forEach((value, i) => {
        // Elements of .2, so rows of 0.2 sqrt(4) times singular values within [0.6, 1.3].
        if (i % (SIZE + 1) === 0) expect(Math.abs(value / (0.04 * SIZE) - 1)).toBeLessThan(0.7);
        else expect(Math.abs(value / (0.04 * SIZE))).toBeLessThan(0.7);
      });
      // It climbs along the gradient.
      expect(step.reduce((sum, value, i) => sum + value * at(x, i, "n"), 0)).toBeGreaterThan(0);
    }),
  );
});

test("orthogonalStep() of skew gradients is skew, and of none is none", () => {
  fc.assert(
    fc.property(squares, (x) => {
      const back = transposed(x);
      const moments = createMoments(SIZE ** 2);
      const step = orthogonalStep(
        x.map((value, i) => value - at(back, i, "n")),
        moments,
        SIZE,
      );
      const other = transposed(step);
      step.forEach((value, i) => {
        expect(value).toBeCloseTo(-at(other, i, "n"), 9);
      });
    }),
  );
  const still = orthogonalStep(new Float64Array(SIZE ** 2), createMoments(SIZE ** 2), SIZE);
  expect(still).toEqual(new Float64Array(SIZE ** 2));
});
