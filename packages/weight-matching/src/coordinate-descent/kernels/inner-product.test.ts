import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { innerProduct } from "./inner-product.ts";

const sizes = fc.record({
  rows: fc.integer({ min: 0, max: 11 }),
  columns: fc.integer({ min: 1, max: 7 }),
  seed: fc.nat(),
});

test("innerProduct() adds the sums of rows one after the other, for any number of rows", () => {
  fc.assert(
    fc.property(sizes, ({ rows, columns, seed }) => {
      const random = createRandom(seed, "inner product");
      const draw = () => Float32Array.from({ length: rows * columns }, () => random.normal());
      const [a, b] = [draw(), draw()];
      const shuffled = (count: number, stride: number) =>
        random.shuffleInPlace(Int32Array.from({ length: count }, (_, i) => i * stride));
      const inA = { rows: shuffled(rows, columns), columns: shuffled(columns, 1) };
      const inB = { rows: shuffled(rows, columns), columns: shuffled(columns, 1) };
      const sumOfRow = (row: number) =>
        inA.columns.reduce((sum, column, place) => {
          const [x, y] = [
            a[(inA.rows[row] ?? 0) + column],
            b[(inB.rows[row] ?? 0) + (inB.columns[place] ?? 0)],
          ];
          return sum + (x ?? 0) * (y ?? 0);
        }, 0);
      let expected = 0;
      for (let row = 0; row < rows; row++) expected += sumOfRow(row);
      expect(innerProduct(a, b, inA, inB)).toBe(expected);
    }),
  );
});
