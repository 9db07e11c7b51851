import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complexOf, inverseConjugate, matrixOf, timesExponential } from "../matrices/complex-numbers.ts";
import { exponential, exponentials } from "../matrices/exponential.ts";
import { nearestMatrix } from "../matrices/nearest-matrix.ts";
import { generatorGradients, toAlgebra } from "./generators.ts";

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

const el = (list: Float64Array, index: number) => list[index] as number;

const pairs = fc
  .array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 })
  .map((list) => Float64Array.from(list));

describe("complex numbers", () => {
  test("toAlgebra() projects on multiples of 1 and of a quarter turn, and is idempotent", () => {
    fc.assert(
      fc.property(pairs, (x) => {
        const projected = toAlgebra(x, 2, "complex");
        const [a = 0, b = 0, c = 0, d = 0] = projected;
        expect([d, c]).toEqual([a, -b]);
        expectClose(toAlgebra(projected, 2, "complex"), projected);
        // What is taken away is orthogonal to what stays.
        const product = x.reduce(
          (sum, value, i) => sum + (value - (projected[i] ?? 0)) * (projected[i] ?? 0),
          0,
        );
        expect(product).toBeCloseTo(0, 10);
        expectClose(toAlgebra(x, 2, "unit-complex"), Float64Array.of(0, b, c, 0));
      }),
    );
  });

  test("timesExponential() is the exponential of the matrix", () => {
    fc.assert(
      fc.property(pairs, (x) => {
        const step = toAlgebra(x, 2, "complex");
        const number = timesExponential({ re: 1, im: 0 }, complexOf(step));
        expectClose(exponential(step, 2), matrixOf(number), 7);
        const { re, im } = inverseConjugate(number);
        // z times the conjugate of 1 / conj(z) is 1.
        expect(number.re * re + number.im * im).toBeCloseTo(1, 9);
        expect(number.im * re - number.re * im).toBeCloseTo(0, 9);
      }),
    );
  });

  test("nearestMatrix() finds a planted angle, never a reflection, and stays where nothing decides", async () => {
    const angles = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
    await fc.assert(
      fc.asyncProperty(angles, pairs, async (angle, x) => {
        const rows = x.map((value) => value + 3);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const turned = Float64Array.of(
          ...[c * el(rows, 0) - s * el(rows, 2), c * el(rows, 1) - s * el(rows, 3)],
          ...[s * el(rows, 0) + c * el(rows, 2), s * el(rows, 1) + c * el(rows, 3)],
        );
        const gram = Float64Array.of(
          ...[el(turned, 0) * el(rows, 0) + el(turned, 1) * el(rows, 1)],
          ...[el(turned, 0) * el(rows, 2) + el(turned, 1) * el(rows, 3)],
          ...[el(turned, 2) * el(rows, 0) + el(turned, 3) * el(rows, 1)],
          ...[el(turned, 2) * el(rows, 2) + el(turned, 3) * el(rows, 3)],
        );
        expectClose(await nearestMatrix(gram, 2, "complex"), Float64Array.of(c, -s, s, c), 5);
      }),
      { numRuns: 50 },
    );
    // The gram of a reflection.
    expect(await nearestMatrix(Float64Array.of(1, 0, 0, -1), 2, "complex")).toEqual(
      Float64Array.of(1, -0, 0, 1),
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
