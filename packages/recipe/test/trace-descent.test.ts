import type { Checkpoint } from "@isthmus/core";
import { createRandom } from "@isthmus/core";
import { compareNetworks, listTree, traceDescent } from "@isthmus/recipe";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpointOf, mapTensors, plantNetwork, type Tensors } from "./planted-networks.ts";

/** Trains on: a few weights of each tensor grow, as outliers do, and all change a little. */
const trainOn = (tensors: Tensors, seed: number): Tensors =>
  mapTensors(tensors, (data, name) => {
    const random = createRandom(seed, `step ${name}`);
    return data.map((x) => x + (random.uniform() < 0.03 ? 0.25 * random.normal() : 0.01 * random.normal()));
  });

/** Makes the networks of a tree, each from its parent, which comes before it. */
function plantTree(parents: readonly (number | null)[], seed: number): Checkpoint[] {
  const made: Tensors[] = [];
  for (const [i, parent] of parents.entries()) {
    const start = parent === null ? undefined : made[parent];
    made.push(start === undefined ? plantNetwork(seed + 1000 * i) : trainOn(start, seed + i));
  }
  return made.map((tensors, i) => checkpointOf(tensors, `n${i}`));
}

describe("traceDescent()", () => {
  test("finds planted trees of several families, in whatever order networks come", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
        async (seed, order) => {
          const parents = [null, 0, 0, 1, 1, null, 5, 5];
          const networks = plantTree(parents, seed);
          const shuffled = order.flatMap((i) => networks[i] ?? []);
          const trees = traceDescent(await compareNetworks(shuffled));
          const found = order.map((_, i) => {
            const parent = trees.parents[order.indexOf(i)] ?? null;
            return parent === null ? null : order[parent];
          });
          expect(found).toEqual(parents);
        },
      ),
      { numRuns: 6 },
    ));

  test("takes the named base for the root, and lists parents before children", async () => {
    const [base, ...others] = plantTree([null, 0, 0, 1], 3);
    const trees = traceDescent(await compareNetworks(others, { base }));
    expect(trees).toMatchObject({ parents: [3, 3, 0, null], rooted: true });
    expect(listTree(trees).map(({ network, lines }) => `${lines}${network}`)).toEqual([
      "3",
      "├─ 0",
      "│  └─ 2",
      "└─ 1",
    ]);
  });

  test("joins children that went on in one direction to the base, if it is named", async () => {
    const start = plantNetwork(7);
    const add = (tensors: Tensors, seed: number, size: number): Tensors =>
      mapTensors(tensors, (data, name) => {
        const random = createRandom(seed, `drift ${name}`);
        return data.map((x) => x + size * random.normal());
      });
    // Both children are nearer to each other than to the base, as their common step is longer than their own.
    const drifted = add(start, 1, 0.0103);
    const networks = [2, 3].map((seed) => checkpointOf(add(drifted, seed, 0.01), `n${seed}`));
    const comparison = await compareNetworks(networks, { base: checkpointOf(start, "base") });
    const [between = 0, ...toBase] = comparison.pairs.map(({ growth }) => growth?.length ?? 0);
    for (const length of toBase) expect(between).toBeLessThan(length);
    expect(traceDescent(comparison).parents).toEqual([2, 2, null]);
  });

  test("gives strangers no parents", async () => {
    const { parents } = traceDescent(await compareNetworks(plantTree([null, null, null], 5)));
    expect(parents).toEqual([null, null, null]);
  });
});
