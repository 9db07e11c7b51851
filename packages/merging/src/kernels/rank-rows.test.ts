import fc from "fast-check";
import { expect, test } from "vitest";
import { allocateNumbers, allocatePatterns, withBlockMemory } from "./block-memory.ts";
import { dropByRank } from "./rank-rows.ts";
import { patternsOf } from "./task-vectors.ts";

/** Rows with many equal elements, spread over many magnitudes, or all different. */
const element = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: 1, max: 1000 }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);
const rows = fc
  .record({ rowLength: fc.integer({ min: 1, max: 300 }), count: fc.integer({ min: 1, max: 3 }) })
  .chain(({ rowLength, count }) => {
    const length = rowLength * count;
    return fc.record({
      rowLength: fc.constant(rowLength),
      values: fc.array(element, { minLength: length, maxLength: length }),
      bits: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: length, maxLength: length }),
      least: fc.double({ min: 0, max: 0.5, noNaN: true }),
      most: fc.double({ min: 0.5, max: 1, noNaN: true }),
    });
  });

test.each([Float32Array, Float64Array])("dropByRank() drops what sorting each row says, for %o", (Class) => {
  fc.assert(
    fc.property(rows, ({ rowLength, values, bits, least, most }) => {
      const numbers = Class.from(values);
      const patterns =
        numbers instanceof Float32Array ? patternsOf(numbers) : patternsOf(Float32Array.from(values));
      const expected = [...numbers];
      for (let begin = 0; begin < values.length; begin += rowLength) {
        const order = [...Array(rowLength).keys()].map((i) => begin + i);
        const sizes = Float32Array.from(values, Math.abs);
        order.sort((a, b) => sizes[a]! - sizes[b]! || a - b);
        for (const [rank, i] of order.entries()) {
          const chance =
            rowLength > 1 ? least + ((most - least) / (rowLength - 1)) * rank : (least + most) / 2;
          if (bits[i]! >= chance * 2 ** 32) expected[i] = 0;
        }
      }
      // Adding 0 makes zeros positive, which may have either sign.
      withBlockMemory(() => {
        const copies = allocateNumbers(numbers instanceof Float64Array, numbers.length);
        copies.set(numbers);
        const ofCopies = copies instanceof Float32Array ? patternsOf(copies) : patterns;
        const drawn = allocatePatterns(bits.length);
        drawn.set(bits);
        dropByRank(copies, ofCopies, drawn, { rowLength, least, most });
        expect([...copies].map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
      });
      dropByRank(numbers, patterns, Uint32Array.from(bits), { rowLength, least, most });
      expect([...numbers].map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
    }),
    {
      numRuns: 300,
      examples: [
        [
          {
            rowLength: 14,
            values: Array.from({ length: 14 }, (_, i) => (i % 3 === 1 ? 1 : 0)),
            bits: Array.from({ length: 14 }, (_, i) => (i === 7 ? 1 : 0)),
            least: 1.3544720900426911e-14, // the largest chance is rounded to more than 1
            most: 1,
          },
        ],
      ],
    },
  );
});
