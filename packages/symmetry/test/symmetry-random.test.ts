import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { discoverSymmetries, verifySymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { randomGraph } from "../../../test/helpers/random-graph.ts";
import { randomImageGraph } from "../../../test/helpers/random-image-graph.ts";

const engine = createOnnxRuntimeEngine();

async function verify(graph: Graph): Promise<number> {
  const permutations = await discoverSymmetries({ graph, engine });
  expect(permutations.spec.unknown).toEqual([]);
  const result = await verifySymmetries({ graph, engine }, permutations, { seed: 5 });
  expect(result, graph.name).toMatchObject({ passed: true });
  return permutations.spec.symmetries.length;
}

describe("random graphs", () => {
  test("discoverSymmetries() finds only what preserves every value", async () => {
    let symmetries = 0;
    for (let seed = 0; seed < 60; seed++) symmetries += await verify(randomGraph(seed, 10));
    // Freezing everything would pass as well.
    expect(symmetries).toBeGreaterThan(120);
  });

  test("discoverSymmetries() finds only what preserves every value of convolutional graphs", async () => {
    let symmetries = 0;
    for (let seed = 0; seed < 60; seed++) symmetries += await verify(randomImageGraph(seed, 8));
    expect(symmetries).toBeGreaterThan(180);
  });

  test.each([
    ["a pair of one axis taken more often than another", 1580],
    ["two fields whose rows go together only as a whole", 1257],
    ["a class whose members would have to be exchanged within it", 2339],
    ["symmetries that only move together", 4991],
    ["functions that have ever coarser things in common", 1381],
  ])("discoverSymmetries() is right about %s", async (_, seed) => {
    await verify(randomGraph(seed, 10));
  });
});
