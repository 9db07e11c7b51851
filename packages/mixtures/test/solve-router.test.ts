import { createRandom } from "@isthmus/core";
import { createMatrix, type Matrix, plainProducts } from "@isthmus/linear-algebra";
import type { SecondMoments } from "@isthmus/statistics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refineRouter } from "../src/routers/refine-router.ts";
import { ridgeMatrix, solveRouter } from "../src/routers/solve-router.ts";
import golden from "./golden/routers.json" with { type: "json" };

type Rows = readonly (readonly number[])[];

/** Moments of rows, computed by loops in f64. */
function momentsOf(rows: Rows): SecondMoments {
  const width = rows[0]!.length;
  const mean = new Float64Array(width);
  const products = new Float64Array(width * width);
  for (const row of rows) {
    row.forEach((x, i) => {
      mean[i]! += x / rows.length;
      row.forEach((y, j) => {
        products[i * width + j]! += (x * y) / rows.length;
      });
    });
  }
  return { count: rows.length, mean, products };
}

const solve = (states: readonly Rows[], ridge: number): Promise<Matrix> =>
  solveRouter(states.map(momentsOf), ridge, plainProducts);

/** Rows of a matrix `[rows, columns]`. */
const rowsOf = ({ rows, columns, data }: Matrix): number[][] =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);

function expectRows(got: Rows, wanted: Rows, digits = 9): void {
  for (const [i, value] of wanted.flat().entries()) expect(got.flat()[i]).toBeCloseTo(value, digits);
}

/** Mean cross-entropy of the expert under the softmax of scores, all experts alike. */
function crossEntropy(weight: Rows, states: readonly Rows[]): number {
  const lossOf = (row: readonly number[], label: number) => {
    const scores = weight.map((own) => own.reduce((sum, w, j) => sum + w * row[j]!, 0));
    return Math.log(scores.reduce((sum, score) => sum + Math.exp(score - scores[label]!), 0));
  };
  const means = states.map(
    (rows, label) => rows.reduce((sum, row) => sum + lossOf(row, label), 0) / rows.length,
  );
  return means.reduce((sum, mean) => sum + mean, 0) / states.length;
}

/** Hidden states of experts around centres of their own. */
const drawn = fc
  .record({
    experts: fc.integer({ min: 2, max: 5 }),
    width: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(1e6),
  })
  .map(({ experts, width, seed }) => {
    const random = createRandom(seed);
    return Array.from({ length: experts }, () => {
      const centre = Array.from({ length: width }, () => random.normal());
      return Array.from({ length: 1 + random.integer(20) }, () => centre.map((x) => x + random.normal()));
    });
  });

describe("solveRouter()", () => {
  test("gives the weights of scikit-learn's ridge regression with all experts weighed alike", async () => {
    const { states, cases } = golden.scikit;
    for (const { ridge, weight } of cases) expectRows(rowsOf(await solve(states, ridge)), weight);
  });

  test("gives the authors' router, if states have a column of ones and rows are divided by their norms", async () => {
    const { states, added, weight, bias } = golden.authors;
    const withOnes = states.map((rows) => rows.map((row) => [...row, 1]));
    const all = momentsOf(withOnes.flat());
    const width = all.mean.length;
    const diagonal = Array.from({ length: width }, (_, i) => all.products[i * (width + 1)]!);
    const ridge = added / (all.count * (diagonal.reduce((sum, x) => sum + x, 0) / width));
    const rows = rowsOf(await solve(withOnes, ridge));
    const norms = rows.map((row) => Math.hypot(...row.slice(0, -1)));
    const divided = rows.map((row, i) => row.map((x) => x / norms[i]!));
    // The authors compute in f32.
    expectRows(
      divided,
      weight.map((row, i) => [...row, bias[i]!]),
      4,
    );
  });

  test("recovers planted routers that give each expert's states its one-hot vector", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), fc.nat(1e6), async (experts, seed) => {
        const random = createRandom(seed);
        const width = experts + 2;
        // States are combinations of the rows of a well-conditioned square matrix, one of them for each expert.
        const basis = Array.from({ length: width }, (_, i) =>
          Array.from({ length: width }, (_, j) => 0.3 * random.normal() + (i === j ? 3 : 0)),
        );
        const states = Array.from({ length: experts }, (_, expert) =>
          Array.from({ length: 3 + random.integer(9) }, () => {
            const [x, y] = [random.normal(), random.normal()];
            return basis[expert]!.map(
              (own, j) => own + x * basis[experts]![j]! + y * basis[experts + 1]![j]!,
            );
          }),
        );
        const weight = rowsOf(await solve(states, 1e-12));
        states.forEach((rows, expert) => {
          for (const row of rows) {
            const scores = weight.map((own) => own.reduce((sum, w, j) => sum + w * row[j]!, 0));
            expectRows([scores], [scores.map((_, i) => (i === expert ? 1 : 0))], 5);
          }
        });
      }),
      { numRuns: 20 },
    );
  });

  test("permutes its rows if experts are permuted", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.nat(1e6), async (states, seed) => {
        const order = createRandom(seed).shuffleInPlace([...states.keys()]);
        const weight = rowsOf(await solve(states, 0.01));
        const permuted = rowsOf(
          await solve(
            order.map((i) => states[i]!),
            0.01,
          ),
        );
        expectRows(
          permuted,
          order.map((i) => weight[i]!),
        );
      }),
      { numRuns: 20 },
    );
  });

  test("does not change if the text of an expert is repeated, and halves if all states double", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.integer({ min: 2, max: 4 }), async (states, times) => {
        const weight = rowsOf(await solve(states, 0.01));
        const repeated = states.map((rows, i) =>
          i === 0 ? Array.from({ length: times }, () => rows).flat() : rows,
        );
        expectRows(rowsOf(await solve(repeated, 0.01)), weight);
        const doubled = states.map((rows) => rows.map((row) => row.map((x) => 2 * x)));
        expectRows(
          rowsOf(await solve(doubled, 0.01)),
          weight.map((row) => row.map((x) => x / 2)),
        );
      }),
      { numRuns: 20 },
    );
  });

  test("is lowered in cross-entropy by a refining step, and by many", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async (states) => {
        const own = states.map(momentsOf);
        const gram = ridgeMatrix(own, 0.01);
        const start = await solveRouter(own, 0.01, plainProducts);
        const rows = states.map((part) =>
          createMatrix(part.length, part[0]!.length, Float32Array.from(part.flat())),
        );
        const losses = await Promise.all(
          [0, 1, 40].map(async (steps) =>
            crossEntropy(
              rowsOf(await refineRouter(start, { states: rows, gram }, { steps, products: plainProducts })),
              states,
            ),
          ),
        );
        const [before = 0, once = 0, often = 0] = losses;
        // A step of majorisation never goes up, but for rounding in f32.
        expect(once).toBeLessThanOrEqual(before + 1e-5);
        expect(often).toBeLessThanOrEqual(before + 1e-5);
      }),
      { numRuns: 20 },
    );
  });

  test("refuses states that are zero throughout", async () => {
    await expect(solve([[[0, 0]], [[0, 0]]], 0.01)).rejects.toThrow(/positive definite/);
  });
});
