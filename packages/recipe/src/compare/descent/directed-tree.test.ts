import { at } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { directedTree } from "./directed-tree.ts";

/** Lists all ways to give each node but the root a parent so that all are reached from the root. */
function* allTrees(count: number, root: number): Generator<number[]> {
  const total = count ** count;
  for (let code = 0; code < total; code++) {
    const parents = Array.from({ length: count }, (_, i) => Math.floor(code / count ** i) % count);
    if (parents[root] !== root) continue;
    const reaches = (node: number, left = count): boolean =>
      node === root || (left > 0 && reaches(at(parents, node, "node"), left - 1));
    if (parents.every((_, node) => reaches(node))) yield parents.map((one, i) => (i === root ? -1 : one));
  }
}

const costOf = (costs: readonly (readonly number[])[], parents: readonly number[]) =>
  parents.reduce((sum, parent, child) => (parent < 0 ? sum : sum + (costs[parent]?.[child] ?? 0)), 0);

describe("directedTree()", () => {
  test("costs no more than any other tree, and is one", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }).chain((count) =>
          fc.tuple(
            fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: count, maxLength: count }), {
              minLength: count,
              maxLength: count,
            }),
            fc.integer({ min: 0, max: count - 1 }),
          ),
        ),
        ([costs, root]) => {
          const found = directedTree(costs, root) ?? expect.fail("no tree");
          const trees = [...allTrees(costs.length, root)];
          expect(trees).toContainEqual(found);
          expect(costOf(costs, found)).toBe(Math.min(...trees.map((tree) => costOf(costs, tree))));
        },
      ),
      { numRuns: 40 },
    ));

  test("says that a node cannot be reached", () => {
    const far = Number.POSITIVE_INFINITY;
    expect(
      directedTree(
        [
          [far, 1, far],
          [1, far, far],
          [1, 1, far],
        ],
        0,
      ),
    ).toBeNull();
  });
});
