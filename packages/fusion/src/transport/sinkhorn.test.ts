import { readFileSync } from "node:fs";
import { solveAssignment } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sinkhorn } from "./sinkhorn.ts";

/** Cost matrices with their sizes and the masses of rows and columns. */
const problems = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      cost: fc.float64Array({ ...range(-3, 3), minLength: rows * columns, maxLength: rows * columns }),
      rowWeights: fc.float64Array({ ...range(0.05, 1), minLength: rows, maxLength: rows }),
      columnWeights: fc.float64Array({ ...range(0.05, 1), minLength: columns, maxLength: columns }),
    }),
  );

function range(min: number, max: number) {
  return { min, max, noNaN: true };
}

const sumOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);

describe("sinkhorn", () => {
  it("gives rows and columns their masses, and the plan that its potentials say", () => {
    fc.assert(
      fc.property(problems, fc.double(range(0.1, 5)), ({ cost, ...sizes }, regularization) => {
        const { rows, columns, rowWeights, columnWeights } = sizes;
        const result = sinkhorn(cost, { ...sizes, regularization });
        const { plan, rowDuals: f, columnDuals: g } = result;
        let error = 0;
        for (let i = 0; i < rows; i++) {
          const mass = sumOf(plan.subarray(i * columns, (i + 1) * columns));
          error += Math.abs(mass - (rowWeights[i] ?? Number.NaN) / sumOf(rowWeights));
        }
        for (let j = 0; j < columns; j++) {
          const mass = sumOf(plan.filter((_, k) => k % columns === j));
          error += Math.abs(mass - (columnWeights[j] ?? Number.NaN) / sumOf(columnWeights));
        }
        // Costs far apart for their regularization may take more iterations than there are: the result says so.
        if (result.status === "converged") expect(error).toBeLessThanOrEqual(1e-9 + 1e-13);
        else expect(error).toBeGreaterThan(1e-9 - 1e-13);
        expect(result.marginalError).toBeCloseTo(error, 12);
        plan.forEach((mass, k) => {
          const [i, j] = [Math.floor(k / columns), k % columns];
          const dual = (f[i] ?? Number.NaN) + (g[j] ?? Number.NaN) - (cost[k] ?? Number.NaN);
          expect(mass).toBeCloseTo(Math.exp(dual / regularization), 12);
        });
      }),
    );
  });

  it("is within regularization times log n of the optimal assignment", () => {
    const square = fc
      .integer({ min: 2, max: 10 })
      .chain((n) => fc.float32Array({ ...range(-2, 2), minLength: n * n, maxLength: n * n }));
    fc.assert(
      fc.property(square, fc.constantFrom(0.3, 0.1, 0.03, 0.01), (cost, regularization) => {
        const n = Math.sqrt(cost.length);
        const { objective } = sinkhorn(cost, { rows: n, columns: n, regularization, tolerance: 1e-7 });
        const optimum = solveAssignment({ data: cost, rows: n, columns: n }).objective / n;
        // The entropies of two plans with equal sums differ by at most log n. Rows that miss their mass by the
        // tolerance may change the cost by as much times the range of costs.
        expect(objective).toBeGreaterThanOrEqual(optimum - 1e-6);
        expect(objective).toBeLessThanOrEqual(optimum + regularization * Math.log(n) + 1e-6);
      }),
    );
  });

  it("gives the assignment itself where it is unique and the regularization small", () => {
    const cost = Float64Array.from({ length: 36 }, (_, k) =>
      k % 6 === (Math.floor(k / 6) * 5 + 2) % 6 ? 0 : 1,
    );
    const { plan } = sinkhorn(cost, { rows: 6, columns: 6, regularization: 1e-3 });
    plan.forEach((mass, k) => {
      expect(mass).toBeCloseTo(cost[k] === 0 ? 1 / 6 : 0, 12);
    });
  });

  it("does not overflow where costs are a million regularizations", () => {
    const cost = Float64Array.of(1e6, 0, 3, 0, 1e6, 2e6);
    const { plan, status } = sinkhorn(cost, { rows: 2, columns: 3, regularization: 1 });
    expect(status).toBe("converged");
    expect(plan.every(Number.isFinite)).toBe(true);
    expect(sumOf(plan)).toBeCloseTo(1, 9);
  });

  it("equals POT's plans and potentials", () => {
    const golden = JSON.parse(
      readFileSync(new URL("../../test/golden/sinkhorn.json", import.meta.url), "utf8"),
    ) as readonly GoldenProblem[];
    expect(golden.length).toBeGreaterThan(3);
    for (const { cost, plan, objective, rowWeights, columnWeights, ...problem } of golden) {
      const result = sinkhorn(Float64Array.from(cost), {
        ...problem,
        rowWeights: Float64Array.from(rowWeights),
        columnWeights: Float64Array.from(columnWeights),
        tolerance: 1e-13,
      });
      result.plan.forEach((mass, k) => {
        expect(mass).toBeCloseTo(plan[k] ?? Number.NaN, 11);
      });
      expect(result.objective).toBeCloseTo(objective, 10);
    }
  });

  it("says when it was given up", () => {
    const cost = Float64Array.from({ length: 100 }, (_, k) => Math.sin(k * 7.3));
    const options = { rows: 10, columns: 10, regularization: 1e-3 };
    const { status, marginalError } = sinkhorn(cost, { ...options, maxIterations: 1 });
    expect(status).toBe("maxIterations");
    expect(marginalError).toBeGreaterThan(1e-9);
  });

  it.each([
    [{ rows: 2, columns: 3, regularization: 1 }, /has 6 elements: got 4/],
    [{ rows: 2, columns: 2, regularization: 0 }, /"regularization" must be a positive number: it is 0/],
    [
      { rows: 2, columns: 2, regularization: 1, rowWeights: Float64Array.of(1, 0) },
      /rowWeights .* number 1 is 0/,
    ],
    [
      { rows: 2, columns: 2, regularization: 1, columnWeights: Float64Array.of(1) },
      /columnWeights .* there are 1/,
    ],
    [{ rows: 0, columns: 2, regularization: 1 }, /"rows" must be a whole number of at least 1/],
  ])("refuses %o", (options, message) => {
    expect(() => sinkhorn(new Float64Array(4), options)).toThrow(message);
  });

  it("names a cost that is not finite", () => {
    const options = { rows: 1, columns: 2, regularization: 1 };
    expect(() => sinkhorn(Float64Array.of(0, Number.NaN), options)).toThrow(/row 0, column 1 is NaN/);
  });
});

interface GoldenProblem {
  readonly rows: number;
  readonly columns: number;
  readonly regularization: number;
  readonly rowWeights: readonly number[];
  readonly columnWeights: readonly number[];
  readonly cost: readonly number[];
  readonly plan: readonly number[];
  readonly objective: number;
}
