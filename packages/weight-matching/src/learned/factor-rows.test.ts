import type { DiagonalSymmetry } from "@isthmus/symmetry";
import fc from "fast-check";
import { expect, test } from "vitest";
import { factorGradients, factorTable, multiplyRowsInPlace } from "./factor-rows.ts";

/**
 * Variable 0 multiplies rows 0 and 2 of "up", and divides column 1 of "down"; variable 1 multiplies row 1.
 */
const SCALES: DiagonalSymmetry = {
  kind: "scale",
  variables: 2,
  values: new Map(),
  weights: new Map([
    ["up", { shape: [3, 2], view: [3, 2], fields: [{ axes: [0], variables: Int32Array.of(1, 2, 1) }] }],
    ["down", { shape: [2, 2], view: [2, 2], fields: [{ axes: [1], variables: Int32Array.of(0, -1) }] }],
  ]),
};

const numbers = (length: number) =>
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: length, maxLength: length });

test("factorGradients() are the slopes of a loss along the logarithm of each factor", () => {
  const table = factorTable(SCALES);
  fc.assert(
    fc.property(numbers(10), numbers(10), (weights, slopes) => {
      const split = (list: readonly number[]) =>
        new Map([
          ["up", Float32Array.from(list.slice(0, 6))],
          ["down", Float32Array.from(list.slice(6))],
        ]);
      const gradients = split(slopes);
      const lossAt = (factors: Float64Array): number => {
        let sum = 0;
        for (const [name, values] of split(weights)) {
          const doubles = Float64Array.from(values);
          multiplyRowsInPlace(doubles, table.get(name) ?? [], factors);
          doubles.forEach((value, i) => {
            sum += value * (gradients.get(name)?.[i] ?? Number.NaN);
          });
        }
        return sum;
      };
      const expected = factorGradients(table, 2, { gradients, network: split(weights), scale: 1 });
      const step = 1e-4;
      expected.forEach((slope, variable) => {
        const [above, below] = [step, -step].map((move) =>
          lossAt(Float64Array.from([0, 0], (_, i) => (i === variable ? Math.exp(move) : 1))),
        );
        expect(((above as number) - (below as number)) / (2 * step)).toBeCloseTo(slope, 5);
      });
    }),
    { numRuns: 50 },
  );
});
