import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exponential, exponentials } from "./exponential.ts";
import { generatorGradients, toAlgebra } from "./generators.ts";
import { nearestMatrix } from "./nearest-matrix.ts";

const SIZE = 3;
const squares = fc
  .array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: SIZE ** 2, maxLength: SIZE ** 2 })
  .map((list) => Float64Array.from(list));

function times(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((_, at) => {
    const [i, j] = [Math.floor(at / SIZE), at % SIZE];
    let sum = 0;
    for (let k = 0; k < SIZE; k++) sum += (a[i * SIZE + k] as number) * (b[k * SIZE + j] as number);
    return sum;
  });
}

const transposed = (m: Float64Array) =>
  m.map((_, at) => m[(at % SIZE) * SIZE + Math.floor(at / SIZE)] as number);
const IDENTITY = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);

function expectClose(actual: Float64Array, expected: Float64Array, digits = 9): void {
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, digits);
  });
}

describe("exponentials()", () => {
  test("are inverse to each other, each the exponential of its matrix, and orthogonal of a skew one", () => {
    fc.assert(
      fc.property(squares, (x) => {
        const { forward, back } = exponentials(x, SIZE);
        expectClose(times(forward, back), IDENTITY, 7);
        expect(
          exponential(
            x.map((value) => -value),
            SIZE,
          ),
        ).toEqual(back);
        const rotation = exponential(toAlgebra(x, SIZE, "orthogonal"), SIZE);
        expectClose(times(rotation, transposed(rotation)), IDENTITY);
      }),
      { numRuns: 50 },
    );
  });

  test("are the sum of the series", () => {
    fc.assert(
      fc.property(squares, (x) => {
        let term = IDENTITY;
        let sum = IDENTITY;
        for (let k = 1; k < 60; k++) {
          term = times(term, x).map((value) => value / k);
          sum = sum.map((value, i) => value + (term[i] as number));
        }
        expectClose(exponential(x, SIZE), sum, 8);
      }),
      { numRuns: 50 },
    );
  });
});

describe("toAlgebra()", () => {
  test("keeps the vector of ones where the group does", () => {
    fc.assert(
      fc.property(squares, (x) => {
        const rotation = exponential(toAlgebra(x, SIZE, "orthogonal-keeping-ones"), SIZE);
        for (let i = 0; i < SIZE; i++) {
          const sum = rotation.subarray(i * SIZE, (i + 1) * SIZE).reduce((total, value) => total + value, 0);
          expect(sum).toBeCloseTo(1, 10);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("nearestMatrix()", () => {
  test("finds a planted rotation from the products of rotated rows", async () => {
    await fc.assert(
      fc.asyncProperty(squares, squares, async (x, y) => {
        // Rows that span all directions, so that the rotation is determined.
        const rows = y.map((value, i) => value + (i % (SIZE + 1) === 0 ? 6 : 0));
        const rotation = exponential(toAlgebra(x, SIZE, "orthogonal"), SIZE);
        const gram = times(times(rotation, rows), transposed(rows));
        expectClose(await nearestMatrix(gram, SIZE, "orthogonal"), rotation, 6);
      }),
      { numRuns: 30 },
    );
  });
});

describe("generatorGradients()", () => {
  // A loss that is linear in the weights: its gradient is constant.
  test.each(["invertible", "orthogonal", "orthogonal-keeping-ones"] as const)(
    "equals finite differences of the loss along generators: %s",
    (group) => {
      fc.assert(
        fc.property(squares, squares, squares, fc.boolean(), (weights, gradient, x, isInverse) => {
          const space = { symmetry: "s", cell: 0, firstUnit: 0, size: SIZE, group };
          const product = Float32Array.from(times(gradient, transposed(weights)));
          const [found] = generatorGradients([space], [{ space: 0, isInverse, product }], 0.5);
          const direction = toAlgebra(x, SIZE, group);
          const lossAt = (t: number) => {
            const step = exponential(
              direction.map((value) => t * value),
              SIZE,
            );
            const back = exponential(
              direction.map((value) => -t * value),
              SIZE,
            );
            const moved = times(isInverse ? transposed(back) : step, weights);
            return 0.5 * moved.reduce((sum, value, i) => sum + value * (gradient[i] as number), 0);
          };
          const difference = (lossAt(1e-4) - lossAt(-1e-4)) / 2e-4;
          const slope = (found as Float64Array).reduce(
            (sum, value, i) => sum + value * (direction[i] as number),
            0,
          );
          expect(slope).toBeCloseTo(difference, 3);
        }),
        { numRuns: 50 },
      );
    },
  );
});
