import { createRequire } from "node:module";
import { createRandom, isIsthmusError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ADVERSARIAL_COSTS } from "../../bench/adversarial-costs.ts";
import { COST_CLASSES, createCosts, perturbCosts } from "../../bench/cost-matrices.ts";
import type { AssignmentOptions, AssignmentResult } from "./assignment-result.ts";
import { certifyAssignment } from "./certify-assignment.ts";
import type { CostMatrix } from "./cost-matrix.ts";
import { KernelSolver } from "./kernel-solver.ts";
import { solveAssignment } from "./solve-assignment.ts";

/** The oracle has no types. */
const computeMunkres = createRequire(import.meta.url)("munkres-js") as (
  costs: number[][],
) => readonly (readonly [number, number])[];

function matrix(rows: number, columns: number, data: ArrayLike<number>): CostMatrix {
  return { data: Float32Array.from(data), rows, columns };
}

/** Least sum over all matchings of the shorter side, by trying them all. */
function bruteForce({ data, rows, columns }: CostMatrix): number {
  const tall = rows > columns;
  const [short, long] = tall ? [columns, rows] : [rows, columns];
  const at = (s: number, l: number): number => data[tall ? l * columns + s : s * columns + l]!;
  const taken = new Array<boolean>(long).fill(false);
  const search = (s: number): number => {
    if (s === short) return 0;
    let best = Number.POSITIVE_INFINITY;
    for (let l = 0; l < long; ++l) {
      if (taken[l]) continue;
      taken[l] = true;
      best = Math.min(best, at(s, l) + search(s + 1));
      taken[l] = false;
    }
    return best;
  };
  return search(0);
}

function transpose({ data, rows, columns }: CostMatrix): Float32Array {
  return data.map((_, k) => data[(k % rows) * columns + Math.floor(k / rows)]!);
}

/** Solves small problems with candidate lists too, which would otherwise wait for larger ones. */
function solveWithLists(cost: CostMatrix, options?: AssignmentOptions): AssignmentResult {
  return new KernelSolver(cost.rows, cost.columns, 0).solve(cost, options);
}

/** Certifies a result, with the duals feasible and the reported numbers confirmed. */
function expectOptimal(cost: CostMatrix, result: AssignmentResult, options?: { maximize?: boolean }): void {
  const certificate = certifyAssignment(cost, result, options);
  const scale = cost.data.length === 0 ? 0 : magnitude(cost, result);
  expect(certificate.gap).toBeLessThanOrEqual(1e-13 * scale);
  expect(Math.abs(certificate.objective - result.objective)).toBeLessThanOrEqual(1e-13 * scale);
  expect(result.gap).toBeLessThanOrEqual(1e-13 * scale);
  expect(result.status).toBe("optimal");
}

function magnitude(cost: CostMatrix, result: AssignmentResult): number {
  let sum = 0;
  result.assignment.forEach((j, i) => {
    if (j >= 0) sum += Math.abs(cost.data[i * (cost.stride ?? cost.columns) + j]!);
  });
  return sum;
}

const sizes = fc.integer({ min: 1, max: 7 });
const values = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.constantFrom(0, 1e-40, 1e30, -1e30, 3e38),
  fc.constant(Number.POSITIVE_INFINITY),
);
const small = fc
  .tuple(sizes, sizes)
  .chain(([rows, columns]) =>
    fc
      .array(values, { minLength: rows * columns, maxLength: rows * columns })
      .map((data) => matrix(rows, columns, data)),
  );

describe("solveAssignment() finds the optimum", () => {
  for (const [name, solve] of [
    ["whole rows", solveAssignment],
    ["lists", solveWithLists],
  ] as const) {
    test(`solveAssignment() with ${name} agrees with brute force on small matrices of any shape`, () => {
      fc.assert(
        fc.property(small, (cost) => {
          const least = bruteForce(cost);
          if (least === Number.POSITIVE_INFINITY) {
            expect(() => solve(cost)).toThrow(/as forbidden edges leave no complete matching/);
            return;
          }
          const result = solve(cost);
          certifyAssignment(cost, result);
          expect(Math.abs(result.objective - least)).toBeLessThanOrEqual(1e-13 * magnitude(cost, result));
        }),
        { numRuns: 600, seed: 1 },
      );
    });

    test(`solveAssignment() with ${name} maximises what it minimises with the sign changed`, () => {
      fc.assert(
        fc.property(small, (cost) => {
          const least = bruteForce(cost);
          fc.pre(least < Number.POSITIVE_INFINITY);
          const negated = { ...cost, data: cost.data.map((x) => -x) };
          const down = solve(cost);
          const up = solve(negated, { maximize: true });
          expect(up.assignment).toEqual(down.assignment);
          expect(up.objective).toBe(0 - down.objective);
          expect(up.rowDuals).toEqual(down.rowDuals.map((u) => 0 - u));
          expect(up.columnDuals).toEqual(down.columnDuals.map((v) => 0 - v));
        }),
        { numRuns: 200, seed: 2 },
      );
    });

    test(`solveAssignment() with ${name} is certified at sizes around the vector and block widths`, () => {
      for (const n of [2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200]) {
        const random = createRandom(n);
        const square = matrix(
          n,
          n,
          Float32Array.from({ length: n * n }, () => random.normal()),
        );
        expectOptimal(square, solve(square));
        expectOptimal(square, solve(square, { maximize: true }), { maximize: true });
      }
    });

    test(`solveAssignment() with ${name} is certified on rectangles both ways`, () => {
      for (const [rows, columns] of [
        [1, 40],
        [40, 1],
        [3, 100],
        [100, 3],
        [31, 33],
        [130, 129],
        [129, 160],
        [200, 150],
        [100, 300],
      ] as const) {
        const random = createRandom(rows * 1000 + columns);
        const cost = matrix(
          rows,
          columns,
          Float32Array.from({ length: rows * columns }, () => random.normal()),
        );
        const result = solve(cost);
        expectOptimal(cost, result);
        expect(result.assignment.filter((j) => j >= 0).length).toBe(Math.min(rows, columns));
        expectOptimal(cost, solve(cost, { maximize: true }), { maximize: true });
      }
    });
  }

  test("solveAssignment() agrees with munkres-js", () => {
    for (const [rows, columns] of [
      [40, 40],
      [30, 50],
      [50, 30],
    ] as const) {
      const random = createRandom(rows);
      const data = Float32Array.from({ length: rows * columns }, () => random.uniform());
      const table = Array.from({ length: rows }, (_, i) =>
        Array.from(data.subarray(i * columns, i * columns + columns)),
      );
      let expected = 0;
      for (const [i, j] of computeMunkres(table)) expected += data[i * columns + j]!;
      for (const solve of [solveAssignment, solveWithLists]) {
        expect(solve(matrix(rows, columns, data)).objective).toBeCloseTo(expected, 10);
      }
    }
  });

  test.each(COST_CLASSES)("solveAssignment() is certified on %s costs, also from old duals", (kind) => {
    const n = 300;
    const cost = matrix(n, n, createCosts(kind, n, 5));
    const cold = solveAssignment(cost);
    expect(cold.stats.dense).toBe(false);
    expectOptimal(cost, cold);
    const moved = matrix(n, n, perturbCosts(cost.data, 0.01, 6));
    const warm = solveAssignment(moved, { duals: cold.columnDuals });
    expectOptimal(moved, warm);
    expect(warm.objective).toBeCloseTo(solveAssignment(moved).objective, 8);
    const same = solveAssignment(cost, { duals: cold.columnDuals });
    expectOptimal(cost, same);
  });

  test.each(ADVERSARIAL_COSTS)("solveAssignment() is certified on %s", (_name, make) => {
    for (const n of [64, 192]) {
      const cost = matrix(n, n, make(n));
      for (const solve of [solveAssignment, solveWithLists]) expectOptimal(cost, solve(cost));
    }
  });

  test("solveAssignment() with lists is certified on random matrices with ties and forbidden edges", () => {
    const random = fc.record({
      rows: fc.integer({ min: 1, max: 130 }),
      extra: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 })),
      seed: fc.nat(),
      values: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 })),
      forbidden: fc.constantFrom(0, 0, 0.3, 0.9),
      maximize: fc.boolean(),
    });
    fc.assert(
      fc.property(random, ({ rows, extra, seed, values: kinds, forbidden, maximize }) => {
        const columns = rows + extra;
        const { integer, normal, uniform } = createRandom(seed);
        const data = Float32Array.from({ length: rows * columns }, (_, k) => {
          const onDiagonal = k % columns === Math.floor(k / columns);
          if (!onDiagonal && uniform() < forbidden) return maximize ? -Infinity : Infinity;
          return kinds === 0 ? normal() : integer(kinds);
        });
        const cost = matrix(rows, columns, data);
        expectOptimal(cost, solveWithLists(cost, { maximize }), { maximize });
        const turned = { data: transpose(cost), rows: columns, columns: rows };
        expectOptimal(turned, solveWithLists(turned, { maximize }), { maximize });
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  test.each([true, false])(
    "solveAssignment() certifies with verify: %s, from old duals or none",
    (verify) => {
      const n = 200;
      const cost = matrix(n, n, createCosts("rank32-norms", n, 7));
      const cold = solveAssignment(cost, { verify });
      expectOptimal(cost, cold);
      const moved = matrix(n, n, perturbCosts(cost.data, 0.02, 8));
      const warm = solveAssignment(moved, { verify, duals: cold.columnDuals });
      expectOptimal(moved, warm);
      expect(warm.stats.bids).toBeLessThan(cold.stats.bids);
    },
  );

  test("solveAssignment() does not start rectangles from old duals, which would be wrong", () => {
    const cost = matrix(40, 70, createCosts("uniform", 60, 1).subarray(0, 2800));
    const duals = Float64Array.from({ length: 70 }, (_, j) => Math.sin(j));
    expect(solveWithLists(cost, { duals })).toEqual(solveWithLists(cost));
  });

  test("solveAssignment() is exact whatever the duals it starts from", () => {
    const n = 150;
    const cost = matrix(n, n, createCosts("uniform", n, 1));
    const random = createRandom(9);
    for (const scale of [1e-3, 1, 1e6, 1e37]) {
      const duals = Float64Array.from({ length: n }, () => scale * random.normal());
      expectOptimal(cost, solveAssignment(cost, { duals }));
    }
  });

  test("solveAssignment() gives the same answer every time", () => {
    const n = 200;
    const random = createRandom(3);
    const cost = matrix(
      n,
      n,
      Float32Array.from({ length: n * n }, () => random.integer(4)),
    );
    const first = solveAssignment(cost);
    solveAssignment(matrix(n, n, createCosts("uniform", n, 1)));
    expect(solveAssignment(cost)).toEqual(first);
  });
});

describe("solveAssignment() takes the degenerate", () => {
  test.each([
    [0, 0],
    [0, 3],
    [3, 0],
  ])("solveAssignment() of %i x %i matches nothing", (rows, columns) => {
    const result = solveAssignment(matrix(rows, columns, []));
    expect(result.assignment).toEqual(new Int32Array(rows).fill(-1));
    expect(result.rowDuals.length).toBe(rows);
    expect(result.columnDuals.length).toBe(columns);
    expect(result).toMatchObject({ objective: 0, gap: 0, status: "optimal" });
  });

  test("solveAssignment() of 1 x 1 takes the only edge", () => {
    expect(solveAssignment(matrix(1, 1, [-2.5]))).toMatchObject({ objective: -2.5, gap: 0 });
    expect(solveAssignment(matrix(1, 1, [-2.5]), { maximize: true })).toMatchObject({ objective: -2.5 });
  });

  test("solveAssignment() reads rows with a stride", () => {
    const data = Float32Array.from([1, 0, 99, 0, 1]);
    const result = solveAssignment({ data, rows: 2, columns: 2, stride: 3 }, { maximize: true });
    expect(Array.from(result.assignment)).toEqual([0, 1]);
    expect(result.objective).toBe(2);
  });

  test("solveAssignment() leaves its input alone", () => {
    const data = createCosts("uniform", 50, 2);
    const before = data.slice();
    solveAssignment({ data, rows: 50, columns: 50 });
    expect(data).toEqual(before);
  });
});

describe("solveAssignment() refuses", () => {
  test.each([
    [Number.NaN, false],
    [Number.NEGATIVE_INFINITY, false],
    [Number.NaN, true],
    [Number.POSITIVE_INFINITY, true],
  ])("solveAssignment() refuses %d among the costs (maximize: %s) and names its place", (value, maximize) => {
    for (const [rows, columns] of [
      [40, 40],
      [70, 40],
      [40, 200],
    ] as const) {
      const data = createCosts("uniform", 200, 1)
        .subarray(0, rows * columns)
        .slice();
      data[17 * columns + 33] = value;
      const error = catchError(() => solveAssignment({ data, rows, columns }, { maximize }));
      expect(isIsthmusError(error, "InputError")).toBe(true);
      expect(String(error)).toContain(`row 17, column 33 is ${value}`);
    }
  });

  test("solveAssignment() refuses edges that leave no complete matching", () => {
    const data = createCosts("uniform", 300, 1);
    for (let i = 0; i < 300; ++i) for (const j of [7, 8]) if (i !== 5) data[i * 300 + j] = Infinity;
    const error = catchError(() => solveAssignment({ data, rows: 300, columns: 300 }));
    expect(isIsthmusError(error, "InputError")).toBe(true);
    expect(String(error)).toMatch(/forbidden edges leave no complete matching: row \d+ finds no partner/);
  });

  test("solveAssignment() refuses what cannot fit before it allocates", () => {
    // A length is all that is looked at.
    const data = Object.defineProperty(new Float32Array(0), "length", { value: 40_000 ** 2 });
    expect(() => solveAssignment({ data, rows: 40_000, columns: 40_000 })).toThrow(
      /Cannot solve an assignment of 40000 x 40000 as .* must fit 4 GiB: they need 6\.\d GiB/,
    );
  });

  test("solveAssignment() refuses sizes, data, duals and options that do not agree", () => {
    const data = new Float32Array(6);
    expect(() => solveAssignment({ data, rows: 2, columns: 4 })).toThrow(/at least 8 elements: they have 6/);
    expect(() => solveAssignment({ data, rows: 1.5, columns: 2 })).toThrow(/rows is 1.5/);
    expect(() => solveAssignment({ data, rows: 2, columns: 3, stride: 2 })).toThrow(/stride .* it is 2/);
    expect(() => solveAssignment({ data: [] as never, rows: 0, columns: 0 })).toThrow(TypeError);
    const square = { data, rows: 2, columns: 2 };
    expect(() => solveAssignment(square, { duals: new Float64Array(3) })).toThrow(/2 columns: there are 3/);
    expect(() => solveAssignment(square, { duals: Float64Array.of(0, Number.NaN) })).toThrow(
      /number 1 is NaN/,
    );
    expect(() => solveAssignment(square, { maximise: true } as never)).toThrow(/no option "maximise"/);
  });
});

function catchError(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new TypeError("Cannot catch an error as none was thrown");
}
