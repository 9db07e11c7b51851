import { createCheckpoint, createRandom } from "@isthmus/core";
import { type Graph, randomWeights } from "@isthmus/graph";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { networkCases } from "../../../test/helpers/network-cases.ts";
import { smallNetworks } from "../../../test/helpers/small-networks.ts";
import { createAssignmentSolver } from "../src/assignment/create-assignment-solver.ts";
import { alignmentObjective } from "../src/coordinate-descent/alignment-objective.ts";
import { BlockMatcher } from "../src/coordinate-descent/block-matcher.ts";
import { createCrossProducts } from "../src/coordinate-descent/cross-products.ts";
import { type DescentProblem, descend } from "../src/coordinate-descent/descend.ts";
import { DescentState } from "../src/coordinate-descent/descent-state.ts";
import { findOccurrences } from "../src/coordinate-descent/occurrences.ts";
import { PanelCosts } from "../src/coordinate-descent/panel-costs.ts";
import { PanelMemory } from "../src/coordinate-descent/panel-memory.ts";
import { createPlacementExpander, identityPlacement } from "../src/coordinate-descent/placement.ts";
import { createUnitTree } from "../src/coordinate-descent/unit-tree.ts";
import { readParameters } from "../src/weights/read-parameters.ts";

interface Search {
  readonly problem: DescentProblem;
  /** Objective at the start and after every step. */
  readonly objectives: number[];
  readonly state: DescentState;
  readonly run: () => ReturnType<typeof descend>;
}

/** A descent between two random networks from the identity; `last` scales the last weight, which entangles most. */
async function prepare(
  graph: Graph,
  spec: SymmetrySpec,
  seed: number,
  { last = 1, keptBytes }: { readonly last?: number; readonly keptBytes?: number } = {},
): Promise<Search> {
  const read = async (own: number) => {
    const parameters = await readParameters(createCheckpoint(randomWeights(graph, own)), spec);
    const name = [...parameters.keys()].at(-1) ?? "";
    return parameters.set(
      name,
      (parameters.get(name) ?? new Float32Array()).map((value) => last * value),
    );
  };
  const weights = { a: await read(seed), b: await read(seed + 50) };
  const expander = createPlacementExpander(spec);
  const tree = createUnitTree(spec);
  const products = await createCrossProducts(undefined);
  const largest = Math.max(...spec.symmetries.map(({ size }) => size));
  const solver = createAssignmentSolver(largest, largest);
  const memory = new PanelMemory(keptBytes);
  const matchers = tree.blocks.map((block) => {
    const occurrences = findOccurrences(tree, block, expander);
    const costs = new PanelCosts(occurrences, weights, products, memory);
    return new BlockMatcher(block, occurrences, { costs, solver, isHeld: () => false });
  });
  const problem: DescentProblem = {
    spec,
    tree,
    expander,
    matchers,
    held: new Set(),
    start: identityPlacement(spec),
    objectiveOf: async (source, only) => alignmentObjective(spec, weights, source, only),
    limit: Number.POSITIVE_INFINITY,
  };
  const objectiveOf = (state: DescentState) =>
    alignmentObjective(spec, weights, expander.expand(state.placement));
  class WatchedState extends DescentState {
    override accept(block: number, choices: ReadonlyMap<number, Int32Array>): void {
      super.accept(block, choices);
      objectives.push(objectiveOf(this));
    }
  }
  const state = new WatchedState(problem, identityPlacement(spec), matchers.keys());
  const objectives = [objectiveOf(state)];
  const options = { random: createRandom(seed), maxSweeps: 50, signal: undefined, onProgress: () => {} };
  return { problem, objectives, state, run: () => descend(problem, state, options) };
}

const graphs = smallNetworks();
const cases = await networkCases(graphs);

describe("descend()", () => {
  test.each(cases)("$name: sums that are dropped and made again change no step", async ({ graph, spec }) => {
    const kept = await prepare(graph, spec, 1);
    const dropped = await prepare(graph, spec, 1, { keptBytes: 0 });
    expect(await dropped.run()).toEqual(await kept.run());
    expect(dropped.objectives).toEqual(kept.objectives);
  });

  test.each(cases)("$name: no step lowers the objective", async ({ graph, spec }) => {
    for (let seed = 0; seed < 5; seed++) {
      for (const last of [1, 10]) {
        const { objectives, run } = await prepare(graph, spec, seed, { last });
        const { objective, status } = await run();
        expect(status).toBe("converged");
        expect(objectives.at(-1)).toBe(objective);
        expect(objectives).toEqual([...objectives].sort((a, b) => a - b));
      }
    }
  });

  test.each(cases)("$name: ends where no block can gain alone", async ({ graph, spec }) => {
    const { problem, state, run } = await prepare(graph, spec, 1);
    const { placement } = await run();
    for (const [block, matcher] of problem.matchers.entries()) {
      if (matcher.coupled) continue;
      const { gain, noise } = await matcher.propose(state.sourcesOf(block), placement);
      expect(gain).toBeLessThanOrEqual(noise);
    }
  });
});

describe("BlockMatcher", () => {
  test.each(cases)("$name: propose() knows what its step gains", async ({ graph, spec }) => {
    const { problem, state, objectives } = await prepare(graph, spec, 2);
    for (const [block, matcher] of problem.matchers.entries()) {
      const { choices, gain } = await matcher.propose(state.sourcesOf(block), state.placement);
      if (matcher.coupled) continue;
      state.accept(block, choices);
      // Costs are in f32, of sums of about 10.
      expect(objectives.at(-1)! - objectives.at(-2)!).toBeCloseTo(gain, 4);
    }
  });

  test("is coupled where a weight holds its units twice, on two axes or on one", () => {
    const coupled = cases.map(({ name, spec }) => {
      const [tree, expander] = [createUnitTree(spec), createPlacementExpander(spec)];
      const occurrences = tree.blocks.flatMap((block) =>
        [...findOccurrences(tree, block, expander).values()].flat(),
      );
      return [name, occurrences.some((own) => own.coupled), occurrences.some((own) => own.entangled)];
    });
    expect(coupled).toEqual([
      ["mlp", false, false],
      ["cnn", false, false],
      ["transformer", false, false],
      ["attention", false, false],
      ["recurrent", true, false],
      ["product", false, false],
      ["square", true, true],
    ]);
  });
});
