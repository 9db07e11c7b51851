import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heightAbove, squaredDistances } from "./height-above.ts";
import { logSimplexVolume } from "./simplex-volume.ts";

const coordinate = fc.double({ min: -2, max: 2, noNaN: true });
const pointsOf = (count: number, dimensions: number) =>
  fc.array(
    fc
      .array(coordinate, { minLength: dimensions, maxLength: dimensions })
      .map((values) => Float64Array.from(values)),
    { minLength: count, maxLength: count },
  );

/** The determinant of a matrix, by elimination with pivots. */
function determinant(rows: readonly (readonly number[])[]): number {
  const matrix = rows.map((row) => [...row]);
  let product = 1;
  for (let k = 0; k < matrix.length; k++) {
    const column = matrix.map((row) => Math.abs(row[k] as number));
    if (Math.max(...column.slice(k)) === 0) return 0;
    const pivot = column.indexOf(Math.max(...column.slice(k)), k);
    const [one, other] = [matrix[pivot] as number[], matrix[k] as number[]];
    if (pivot !== k) product = -product;
    [matrix[k], matrix[pivot]] = [one, other];
    product *= one[k] as number;
    for (const row of matrix.slice(k + 1)) {
      const factor = (row[k] as number) / (one[k] as number);
      for (let j = k; j < row.length; j++) row[j] = (row[j] as number) - factor * (one[j] as number);
    }
  }
  return product;
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

describe("logSimplexVolume()", () => {
  it.each([1, 2, 3, 5])("is 1 / n! for the corner of a cube of %d dimensions", (n) => {
    const corner = [new Float64Array(n), ...Array.from({ length: n }, (_, k) => unit(n, k))];
    expect(logSimplexVolume(squaredDistances(corner))).toBeCloseTo(-Math.log(factorial(n)), 12);
  });

  it("is the one of regular simplexes of any edge", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (n, edge) => {
          const squares = Array.from({ length: n + 1 }, (_, i) =>
            Array.from({ length: n + 1 }, (__, j) => (i === j ? 0 : edge ** 2)),
          );
          const volume = (edge ** n / factorial(n)) * Math.sqrt((n + 1) / 2 ** n);
          expect(logSimplexVolume(squares)).toBeCloseTo(Math.log(volume), 9);
        },
      ),
    );
  });

  it("is the determinant of Cayley and Menger, in any order of the vertices", () => {
    fc.assert(
      fc.property(pointsOf(4, 6), (points) => {
        const squares = squaredDistances(points);
        const bordered = [[0, 1, 1, 1, 1], ...squares.map((row) => [1, ...row])];
        const square = determinant(bordered) / (2 ** 3 * factorial(3) ** 2);
        fc.pre(square > 1e-4);
        expect(logSimplexVolume(squares)).toBeCloseTo(Math.log(square) / 2, 6);
        expect(logSimplexVolume(squaredDistances([...points].reverse()))).toBeCloseTo(
          Math.log(square) / 2,
          6,
        );
      }),
    );
  });

  it("has no volume where vertices span less, and refuses rows of another length", () => {
    const line = [0, 1, 2].map((x) => Float64Array.of(x, 0));
    expect(logSimplexVolume(squaredDistances(line))).toBe(Number.NEGATIVE_INFINITY);
    expect(logSimplexVolume([[0]])).toBe(0);
    expect(() => logSimplexVolume([[0, 1], [1]])).toThrow(/each two of 2 vertices: there are rows of 2, 1/);
    expect(() => logSimplexVolume([])).toThrow(/rows of none/);
  });
});

describe("heightAbove()", () => {
  it("points along the gradient of the logarithm of the volume, which is one over the height", () => {
    fc.assert(
      fc.property(pointsOf(4, 5), (points) => {
        const [base, one, two, top] = points as [Float64Array, Float64Array, Float64Array, Float64Array];
        const volumeAt = (place: Float64Array) => logSimplexVolume(squaredDistances([base, one, two, place]));
        fc.pre(volumeAt(top) > -4);
        const { height, upwards } = heightAbove(base, [one, two])(top);
        const step = 1e-5;
        for (const i of top.keys()) {
          const moved = (by: number) => top.map((value, k) => (k === i ? value + by : value));
          const slope = (volumeAt(moved(step)) - volumeAt(moved(-step))) / (2 * step);
          const expected = (upwards[i] as number) / height ** 2;
          expect(Math.abs(slope - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)));
        }
      }),
    );
  });

  it("takes points that lie in the space of the ones before for nothing", () => {
    const base = Float64Array.of(0, 0, 0);
    const others = [Float64Array.of(1, 0, 0), Float64Array.of(3, 0, 0)];
    expect(heightAbove(base, others)(Float64Array.of(5, 3, 4)).height).toBeCloseTo(5, 12);
  });
});

function unit(dimensions: number, axis: number): Float64Array {
  const vector = new Float64Array(dimensions);
  vector[axis] = 1;
  return vector;
}
