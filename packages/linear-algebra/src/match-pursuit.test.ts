import { readFileSync } from "node:fs";
import { at, createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchPursuit, type PursuitAtoms } from "./match-pursuit.ts";
import { createMatrix, type Matrix } from "./matrix.ts";
import { plainProducts } from "./products/create-products.ts";
import { solvePositiveDefinite } from "./solve-positive-definite.ts";

const golden: {
  readonly points: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  readonly indices: readonly number[];
  readonly coefficients: readonly number[];
} = JSON.parse(readFileSync(new URL("../test/golden/match-pursuit.json", import.meta.url), "utf8"));

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = createRandom(seed, "pursuit");
  return createMatrix(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, () => random.normal()),
  );
}

function atomsOf({ rows, columns, data }: Matrix, length = rows): PursuitAtoms {
  return {
    rows,
    columns,
    async *blocks() {
      for (let first = 0; first < rows; first += length) {
        const count = Math.min(length, rows - first);
        const part = data.slice(first * columns, (first + count) * columns);
        yield { first, block: createMatrix(count, columns, part) };
      }
    },
  };
}

/** Combines vectors by the result for one target, in f64. */
function combine(
  atoms: Matrix,
  indices: Int32Array,
  coefficients: Float64Array,
  [target, most]: readonly [number, number],
): number[] {
  const sum = Array<number>(atoms.columns).fill(0);
  for (let k = target * most; k < (target + 1) * most; k++) {
    const index = at(indices, k);
    if (index < 0) continue;
    for (let i = 0; i < sum.length; i++) {
      sum[i] = at(sum, i) + at(coefficients, k) * at(atoms.data, index * atoms.columns + i);
    }
  }
  return sum;
}

const options = { products: plainProducts };

/** Orthogonal matching pursuit of one target as textbooks write it: f64, and normal equations for each step. */
async function textbookPursuit(atoms: Matrix, target: readonly number[], most: number) {
  const rowOf = (i: number) => [...atoms.data.subarray(i * atoms.columns, (i + 1) * atoms.columns)];
  const product = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * at(b, i), 0);
  const chosen: number[] = [];
  let coefficients: number[] = [];
  let rest = [...target];
  while (chosen.length < most) {
    const scores = Array.from({ length: atoms.rows }, (_, i) => Math.abs(product(rowOf(i), rest)));
    for (const index of chosen) scores[index] = -1;
    chosen.push(scores.indexOf(Math.max(...scores)));
    const rows = chosen.map(rowOf);
    const gram = Float64Array.from(rows.flatMap((row) => rows.map((other) => product(row, other))));
    const right = Float64Array.from(rows.map((row) => product(row, target)));
    const solved = await solvePositiveDefinite(
      createMatrix(rows.length, rows.length, gram),
      createMatrix(rows.length, 1, right),
      plainProducts,
    );
    coefficients = [...(solved?.data ?? [])];
    rest = target.map((value, i) =>
      rows.reduce((left, row, k) => left - at(coefficients, k) * at(row, i), value),
    );
  }
  return { chosen, coefficients };
}

describe("matchPursuit()", () => {
  it("leaves a rest that is orthogonal to all chosen vectors, of the stated norm, in any blocks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 20 }), async (seed, length) => {
        const [most, columns] = [5, 12];
        const [atoms, targets] = [randomMatrix(20, columns, seed), randomMatrix(3, columns, seed + 1)];
        const result = await matchPursuit(targets, atomsOf(atoms, length), { ...options, most });
        const whole = await matchPursuit(targets, atomsOf(atoms), { ...options, most });
        expect(result.indices).toEqual(whole.indices);
        for (let target = 0; target < 3; target++) {
          const wanted = [...targets.data.subarray(target * columns, (target + 1) * columns)];
          const made = combine(atoms, result.indices, result.coefficients, [target, most]);
          const rest = wanted.map((value, i) => value - at(made, i));
          const norm = Math.hypot(...wanted);
          expect(Math.hypot(...rest) / norm).toBeCloseTo(at(result.residuals, target), 5);
          for (const index of result.indices.subarray(target * most, (target + 1) * most)) {
            const atom = atoms.data.subarray(index * columns, (index + 1) * columns);
            const product = rest.reduce((sum, value, i) => sum + value * at(atom, i), 0);
            expect(Math.abs(product) / (norm * Math.hypot(...atom))).toBeLessThan(1e-5);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("chooses and weighs as the textbook says, for many targets at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 40 }), async (seed, length) => {
        const [most, columns] = [6, 16];
        const [atoms, targets] = [randomMatrix(40, columns, seed), randomMatrix(5, columns, seed + 1)];
        const parts: number[] = [];
        const result = await matchPursuit(targets, atomsOf(atoms, length), {
          ...options,
          most,
          onProgress: (done) => parts.push(done),
        });
        for (let target = 0; target < 5; target++) {
          const wanted = [...targets.data.subarray(target * columns, (target + 1) * columns)];
          const { chosen, coefficients } = await textbookPursuit(atoms, wanted, most);
          expect([...result.indices.subarray(target * most, (target + 1) * most)]).toEqual(chosen);
          for (const [k, value] of coefficients.entries())
            expect(at(result.coefficients, target * most + k)).toBeCloseTo(value, 4);
        }
        expect(parts).toEqual([...parts].sort((a, b) => a - b));
        expect(parts).toHaveLength(most * Math.ceil(40 / length));
        expect(parts.at(-1)).toBeCloseTo(1);
      }),
      { numRuns: 15 },
    );
  });

  it("chooses and weighs as mergekit does", async () => {
    const { points, targets, indices, coefficients } = golden;
    const atoms = createMatrix(points.length, 10, Float32Array.from(points.flat()));
    const wanted = createMatrix(targets.length, 10, Float32Array.from(targets.flat()));
    const result = await matchPursuit(wanted, atomsOf(atoms, 7), { ...options, most: 4 });
    expect([...result.indices]).toEqual(indices);
    for (const [i, value] of result.coefficients.entries()) expect(value).toBeCloseTo(at(coefficients, i), 6);
  });

  it("ends a combination when nothing is left, instead of dividing by rounding", async () => {
    const atoms = randomMatrix(30, 8, 1);
    const targets = randomMatrix(4, 8, 2);
    const { indices, coefficients, residuals } = await matchPursuit(targets, atomsOf(atoms), {
      ...options,
      most: 20,
    });
    for (let target = 0; target < 4; target++) {
      const chosen = indices.subarray(target * 20, (target + 1) * 20).filter((index) => index >= 0);
      expect(chosen.length).toBeLessThanOrEqual(8);
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(at(residuals, target)).toBeLessThan(1e-5);
    }
    expect(Math.max(...coefficients.map(Math.abs))).toBeLessThan(100);
  });

  it("chooses the first of equal vectors once, and leaves out vectors of zeros and of NaN", async () => {
    const atoms = createMatrix(5, 2, Float32Array.of(0, 0, Number.NaN, 1, 3, 0, 3, 0, 0, 2));
    const targets = createMatrix(2, 2, Float32Array.of(6, 0, 0, 0));
    const { indices, coefficients, residuals } = await matchPursuit(targets, atomsOf(atoms), {
      ...options,
      most: 3,
    });
    expect([...indices]).toEqual([2, -1, -1, -1, -1, -1]);
    expect([...coefficients]).toEqual([2, 0, 0, 0, 0, 0]);
    expect([...residuals]).toEqual([0, 0]);
  });

  it("chooses by the cosine if asked, where the product favours long vectors", async () => {
    const atoms = createMatrix(2, 2, Float32Array.of(10, 10, 1, 0.1));
    const target = createMatrix(1, 2, Float32Array.of(1, 0));
    const first = async (byCosine: boolean) =>
      (await matchPursuit(target, atomsOf(atoms), { ...options, most: 1, byCosine })).indices[0];
    expect([await first(false), await first(true)]).toEqual([0, 1]);
  });

  it("refuses vectors of another length", async () => {
    const attempt = matchPursuit(randomMatrix(1, 3, 0), atomsOf(randomMatrix(2, 4, 0)), options);
    await expect(attempt).rejects.toThrow("must have one length: they have 3 and 4");
  });
});
