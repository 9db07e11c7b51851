import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CUMULATIVE_ORDERS } from "../layers-result.ts";
import { orderGroups } from "./cut-points.ts";

describe("orderGroups()", () => {
  it("goes from either end, or from the middle to both sides", () => {
    expect(orderGroups("shallow-to-deep", 4, 0)).toEqual([0, 1, 2, 3]);
    expect(orderGroups("deep-to-shallow", 4, 0)).toEqual([3, 2, 1, 0]);
    expect(orderGroups("middle-first", 5, 0)).toEqual([2, 3, 1, 4, 0]);
    expect(orderGroups("middle-first", 4, 0)).toEqual([2, 1, 3, 0]);
  });

  it("has every group once; only the random order depends on the seed", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CUMULATIVE_ORDERS), fc.nat(30), fc.nat(1000), (order, count, seed) => {
        const groups = orderGroups(order, count, seed);
        expect([...groups].sort((i, j) => i - j)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(orderGroups(order, count, seed)).toEqual(groups);
        if (order !== "random") expect(orderGroups(order, count, seed + 1)).toEqual(groups);
      }),
    );
    const orders = [0, 1, 2].map((seed) => orderGroups("random", 20, seed).join());
    expect(new Set(orders).size).toBe(3);
  });
});
