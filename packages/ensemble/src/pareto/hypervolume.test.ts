import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hypervolume, paretoFront } from "./hypervolume.ts";

/** Counts the unit cells of a grid that a point dominates. */
function countCells(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const cells = reference.reduce<number[][]>(
    (all, extent) => all.flatMap((cell) => Array.from({ length: extent }, (_, i) => [...cell, i])),
    [[]],
  );
  return cells.filter((cell) => points.some((point) => point.every((value, i) => value <= (cell[i] ?? 0))))
    .length;
}

const cases = fc.integer({ min: 1, max: 4 }).chain((objectives) =>
  fc.record({
    reference: fc.constant(Array.from({ length: objectives }, () => 5)),
    points: fc.array(fc.array(fc.nat(6), { minLength: objectives, maxLength: objectives }), { maxLength: 7 }),
  }),
);

describe("hypervolume()", () => {
  it("is the number of cells of a grid that points dominate", () => {
    fc.assert(
      fc.property(cases, ({ points, reference }) => {
        expect(hypervolume(points, reference)).toBe(countCells(points, reference));
      }),
    );
  });

  it("is that of the front alone, which no point of the others dominates", () => {
    fc.assert(
      fc.property(cases, ({ points, reference }) => {
        const front = paretoFront(points, (point) => point);
        expect(hypervolume(front, reference)).toBe(hypervolume(points, reference));
        if (points.length > 0) expect(front.length).toBeGreaterThan(0);
      }),
    );
  });

  it("refuses points of other objectives", () => {
    expect(() => hypervolume([[1]], [1, 2])).toThrow(/it has 2, a point 1/);
    expect(() => hypervolume([], [])).toThrow(/at least one/);
  });
});
