import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeTree } from "../topology/merge-tree.ts";
import { barsOf, layOutTree } from "./tree-layout.ts";

describe("layOutTree()", () => {
  it("places every minimum once, with joins that reach from one of their branches to another", () => {
    const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, (losses) => {
        const tree = mergeTree(losses, [losses.length]);
        const { branches, joins, minima } = layOutTree(tree);
        const leaves = branches.filter(({ kind }) => kind === "minimum");
        expect(leaves.map(({ x }) => x)).toEqual(Array.from({ length: minima }, (_, i) => i));
        expect(joins).toHaveLength(tree.saddles.length);
        for (const { left, right, y } of joins) {
          const ends = branches.filter(({ to, x }) => to === y && x >= left && x <= right);
          expect(ends.length).toBeGreaterThan(1);
          expect(ends.some(({ x }) => x === left) && ends.some(({ x }) => x === right)).toBe(true);
        }
        const lengths = barsOf(tree).map(({ from, to }) => to - from);
        expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
      }),
    );
  });
});
