import fc from "fast-check";
import { expect, test } from "vitest";
import { projectInPlace, solveQuadratic } from "./solve-quadratic.ts";

/** Eighths: numbers near 0 would put the smallest value of a function anywhere. */
const number = fc.integer({ min: -16, max: 16 }).map((eighths) => eighths / 8);
/** A quadratic of rank at most 3, so that it is singular for 4 weights. */
const problem = fc.integer({ min: 1, max: 4 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    rows: fc.array(fc.array(number, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 3 }),
    target: fc.array(number, { minLength: 3, maxLength: 3 }),
    bounds: fc.option(fc.constant([-0.5, 1] as const), { nil: undefined }),
    sum: fc.option(fc.double({ min: -0.4, max: 0.9, noNaN: true }), { nil: undefined }),
    other: fc.array(number, { minLength: n, maxLength: n }),
  }),
);

test("solveQuadratic() finds weights within limits that no others beat", async () => {
  await fc.assert(
    fc.asyncProperty(problem, async ({ n, rows, target, bounds, sum, other }) => {
      const entries = Array.from({ length: n * n }, (_, k) =>
        rows.reduce((total, row) => total + (row[Math.floor(k / n)] ?? 0) * (row[k % n] ?? 0), 0),
      );
      const linear = Array.from({ length: n }, (_, i) =>
        rows.reduce((total, row, r) => total + (row[i] ?? 0) * (target[r] ?? 0), 0),
      );
      const quadratic = { matrix: Float64Array.from(entries), linear: Float64Array.from(linear) };
      const limits = { bounds, sum };
      const found = await solveQuadratic(quadratic, new Float64Array(n), limits);
      const rival = Float64Array.from(other);
      projectInPlace(rival, limits);
      const valueAt = (x: Float64Array) =>
        rows.reduce((total, row, r) => {
          const error = row.reduce((dot, value, i) => dot + value * (x[i] ?? 0), 0) - (target[r] ?? 0);
          return total + error * error;
        }, 0);
      expect(valueAt(found)).toBeLessThanOrEqual(valueAt(rival) + 1e-6);
      if (bounds) for (const x of found) expect(x >= bounds[0] && x <= bounds[1]).toBe(true);
      if (sum !== undefined) expect(found.reduce((total, x) => total + x, 0)).toBeCloseTo(sum, 8);
    }),
    { numRuns: 200 },
  );
});
