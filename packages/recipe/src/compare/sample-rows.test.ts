import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matrixShape, sampleRows, shareBlocks, shareBudget } from "./sample-rows.ts";

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 3000 }),
  columns: fc.integer({ min: 1, max: 3000 }),
  most: fc.integer({ min: 1, max: 200_000 }),
  seed: fc.nat(),
});

describe("sampleRows()", () => {
  test("stays within the matrix and the budget, and reads no element twice", () =>
    fc.assert(
      fc.property(sizes, ({ rows, columns, most, seed }) => {
        const blocks = sampleRows({ rows, columns }, most, createRandom(seed));
        const read = blocks.flatMap((block) =>
          Array.from({ length: block.rows }, (_, i) => block.first + i * block.step),
        );
        expect(new Set(read).size).toBe(read.length);
        expect(Math.min(...read)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...read)).toBeLessThan(rows);
        for (const { column, width } of blocks) expect(column + width).toBeLessThanOrEqual(columns);
        const elements = blocks.reduce((sum, block) => sum + block.rows * block.width, 0);
        if (rows * columns <= most) expect(elements).toBe(rows * columns);
        else {
          // Few rows of a few columns are the least that says anything.
          expect(elements).toBeLessThanOrEqual(Math.max(most, 8 * 64));
          expect(elements).toBeGreaterThanOrEqual(Math.min(most, rows * columns) / 16);
        }
      }),
    ));

  test("reads rows side by side that are not all from one end", () => {
    const blocks = sampleRows({ rows: 1000, columns: 10 }, 640, createRandom(0));
    expect(blocks).toHaveLength(8);
    expect(blocks.every(({ rows, step }) => rows === 8 && step === 1)).toBe(true);
    expect(Math.max(...blocks.map(({ first }) => first))).toBeGreaterThan(800);
  });
});

describe("shareBlocks()", () => {
  test("gives each tensor of a small network many blocks, and some to each of a large one", () => {
    expect([1, 64, 65, 128, 200, 10_000].map(shareBlocks)).toEqual([8, 8, 7, 4, 2, 2]);
    expect(sampleRows({ rows: 1000, columns: 10 }, 640, createRandom(0), 2)).toHaveLength(2);
  });
});

describe("matrixShape()", () => {
  test.each([
    [[], 1, 1],
    [[1], 1, 1],
    [[7], 1, 7],
    [[1, 17, 96], 17, 96],
    [[32, 3, 3, 3], 32, 27],
    [[4, 0], 4, 0],
  ])("makes a matrix of the shape %j", (shape, rows, columns) => {
    expect(matrixShape(shape)).toEqual({ rows, columns });
  });
});

describe("shareBudget()", () => {
  test("reads all that fits, and shares the rest of the budget out evenly", () => {
    expect(shareBudget([10, 20, 30], 60)).toBe(Number.POSITIVE_INFINITY);
    expect(shareBudget([10, 100, 100], 110)).toBe(50);
  });

  test("never exceeds the budget", () =>
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.nat(5000), (all, budget) => {
        const share = shareBudget(all, budget);
        expect(all.reduce((sum, size) => sum + Math.min(size, share), 0)).toBeLessThanOrEqual(budget);
      }),
    ));
});
