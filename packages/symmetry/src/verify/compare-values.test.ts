import { createRandom, type Tensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareInPlace, compareMoved } from "./compare-values.ts";

const tensor = (values: readonly number[]): Tensor => ({
  dtype: "f32",
  shape: [values.length],
  data: Float32Array.from(values),
});

describe("compareInPlace()", () => {
  test("measures the largest difference relative to the largest element", () => {
    expect(compareInPlace(tensor([1, -4, 2]), tensor([1, -4, 2.5]))).toBe(0.125);
  });

  test("takes equal infinities and NaN on both sides for equal", () => {
    const values = tensor([Number.NaN, Number.NEGATIVE_INFINITY, 1]);
    expect(compareInPlace(values, values)).toBe(0);
  });

  test.each([[[Number.NaN, 2]], [[Number.POSITIVE_INFINITY, 2]]])(
    "is infinite if a value is finite on one side only, whatever differs behind it: %j",
    (after) => {
      expect(compareInPlace(tensor([1, 1]), tensor(after))).toBe(Number.POSITIVE_INFINITY);
    },
  );
});

describe("compareMoved()", () => {
  test("finds no difference after any permutation of two axes, and the difference of one changed element", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(1000),
        (rows, columns, seed) => {
          const random = createRandom(seed);
          const permuted = (size: number) =>
            random.shuffleInPlace(Int32Array.from({ length: size }, (_, i) => i));
          const [down, right] = [permuted(rows), permuted(columns)];
          const offsets = (places: Int32Array, stride: number) => places.map((place) => place * stride);
          const inOrder = (size: number, stride: number) =>
            Int32Array.from({ length: size }, (_, i) => i * stride);
          const movement = {
            before: [inOrder(rows, columns), inOrder(columns, 1)],
            after: [offsets(down, columns), offsets(right, 1)],
          };
          const before = Float32Array.from({ length: rows * columns }, (_, i) => i + 1);
          const after = new Float32Array(before.length);
          down.forEach((row, i) => {
            right.forEach((column, j) => {
              after[row * columns + column] = before[i * columns + j] as number;
            });
          });
          const [one, two] = [tensor([...before]), tensor([...after])];
          expect(compareMoved(one, two, movement)).toBe(0);
          two.data[0] = Number(two.data[0]) + before.length;
          expect(compareMoved(one, two, movement)).toBe(1);
        },
      ),
    );
  });
});
