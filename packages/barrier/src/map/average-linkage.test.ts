import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinByAverage } from "./average-linkage.ts";
import { orderLeaves } from "./order-leaves.ts";

const symmetric = fc
  .integer({ min: 2, max: 7 })
  .chain((n) => fc.array(fc.integer({ min: 0, max: 50 }), { minLength: n * n, maxLength: n * n }))
  .map((values) => {
    const n = Math.sqrt(values.length);
    const value = (i: number, j: number) => values[Math.min(i, j) * n + Math.max(i, j)] ?? Number.NaN;
    return Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => (i === j ? 0 : value(i, j))),
    );
  });

const lengthOf = (order: readonly number[], distances: readonly (readonly number[])[]) =>
  order.slice(1).reduce((sum, leaf, k) => sum + (distances[order[k] ?? -1]?.[leaf] ?? Number.NaN), 0);

/** Lists all orders of leaves that the joins allow. */
function allOrders(joins: ReturnType<typeof joinByAverage>, n: number): number[][] {
  const groups: number[][][] = Array.from({ length: n }, (_, i) => [[i]]);
  for (const { a, b } of joins) {
    groups.push(
      (groups[a] ?? []).flatMap((one) =>
        (groups[b] ?? []).flatMap((two) => [
          [...one, ...two],
          [...two, ...one],
        ]),
      ),
    );
  }
  return groups.at(-1) ?? [];
}

describe("joinByAverage()", () => {
  test("joins as scipy.cluster.hierarchy.linkage(method='average') does", () => {
    // squareform([7, 2, 9, 4, 8, 5, 6, 10, 3, 1]) of five points, from SciPy 1.17.1.
    const distances = [
      [0, 7, 2, 9, 4],
      [7, 0, 8, 5, 6],
      [2, 8, 0, 10, 3],
      [9, 5, 10, 0, 1],
      [4, 6, 3, 1, 0],
    ];
    expect(joinByAverage(distances)).toEqual([
      { a: 3, b: 4, height: 1 },
      { a: 0, b: 2, height: 2 },
      { a: 1, b: 5, height: 5.5 },
      { a: 6, b: 7, height: 41 / 6 },
    ]);
  });

  test("joins every group once, at heights that never fall", () => {
    fc.assert(
      fc.property(symmetric, (distances) => {
        const joins = joinByAverage(distances);
        const joined = joins.flatMap(({ a, b }) => [a, b]).sort((x, y) => x - y);
        expect(joined).toEqual(Array.from({ length: 2 * distances.length - 2 }, (_, i) => i));
        const heights = joins.map(({ height }) => height);
        expect(heights.every((height, k) => height >= (heights[k - 1] ?? 0) - 1e-9)).toBe(true);
      }),
    );
  });

  test("lets other distances decide where the first are equal", () => {
    const flat = [
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ];
    const ties = [
      [0, 3, 2],
      [3, 0, 1],
      [2, 1, 0],
    ];
    expect(joinByAverage(flat, ties)[0]).toEqual({ a: 1, b: 2, height: 0 });
  });
});

describe("orderLeaves()", () => {
  test("finds the shortest of all orders that the tree allows", () => {
    fc.assert(
      fc.property(symmetric, (distances) => {
        const joins = joinByAverage(distances);
        const orders = allOrders(joins, distances.length);
        const order = orderLeaves(joins, distances);
        expect(orders).toContainEqual(order);
        expect(lengthOf(order, distances)).toBeCloseTo(
          Math.min(...orders.map((one) => lengthOf(one, distances))),
          9,
        );
      }),
    );
  });
});
