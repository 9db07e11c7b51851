import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addDisplacement, borrowDisplacementSum, SUM_ELEMENTS } from "./displacement-sum.ts";

test("addValues() adds the bits that a loop over the elements adds, and nothing behind them", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.nat(),
      fc.double({ noNaN: true, min: -3, max: 3 }),
      (count, seed, weight) => {
        const random = createRandom(seed);
        const draw = () => random.normal() * 10 ** Math.round(6 * random.normal());
        const sum = borrowDisplacementSum();
        try {
          for (let i = 0; i < count; i++)
            [sum.base[i], sum.sums[i], sum.values[i]] = [draw(), draw(), draw()];
          const expected = sum.sums.slice(0, count);
          addDisplacement(sum.values.slice(0, count), sum.base.slice(), weight, expected);
          const behind = Math.ceil(count / 4) * 4;
          sum.sums.fill(7, behind);
          sum.addValues(weight, count);
          expect(sum.sums.slice(0, count)).toEqual(expected);
          expect(sum.sums.subarray(behind, SUM_ELEMENTS).every((value) => value === 7)).toBe(true);
        } finally {
          sum.release();
        }
      },
    ),
    { numRuns: 50 },
  );
});
