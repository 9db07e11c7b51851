import type { SimulatedRun, SimulationResult } from "@isthmus/simulation";
import { describe, expect, it } from "vitest";
import { formatSimulation } from "./format-simulation.ts";

const round = { round: 1, updates: 2, refused: [], bytesDown: 1, bytesUp: 1, trainLoss: 1, changeNorm: 1 };
const runOf = (strategy: string, part: Partial<SimulatedRun> = {}): SimulatedRun => ({
  ...{ partition: "iid", strategy, attack: "none", seed: 0, accuracy: 0.9, loss: 1, attackers: [] },
  ...{ rounds: [round], clients: [], fairness: { mean: 0.8, std: 0, worst: 0.7 }, barriers: [] },
  ...part,
});
const resultOf = (runs: readonly SimulatedRun[]): SimulationResult => ({
  ...{ kind: "simulation", title: "Small", description: "", engine: "test", seeds: [0], divisions: [], runs },
  federation: { net: "mlp:4", data: "d", evaluate: "d", clients: 2, rounds: 3 },
  ...{ partitions: { iid: { name: "iid" } }, attacks: { none: null } },
  strategies: Object.fromEntries(runs.map(({ strategy }) => [strategy, {}])),
});

describe("formatSimulation()", () => {
  it("formatSimulation() shows the epsilon of private strategies, and which ended early", () => {
    const text = formatSimulation(
      resultOf([
        runOf("plain"),
        runOf("bare", { rounds: [{ ...round, epsilon: null }] }),
        runOf("private", { rounds: [{ ...round, epsilon: 1.2345 }], stopped: "the budget is spent" }),
      ]),
    );
    const lines = text.split("\n").map((line) => line.trim());
    expect(lines.find((line) => line.startsWith("Strategy"))).toMatch(/epsilon$/);
    expect(lines.find((line) => line.startsWith("plain"))).toMatch(/70\.0$/);
    expect(lines.find((line) => line.startsWith("bare"))).toMatch(/infinite$/);
    expect(lines.find((line) => line.startsWith("private"))).toMatch(/1\.23$/);
    expect(lines.at(-1)).toBe("private ended early: the budget is spent");
  });

  it("formatSimulation() shows intervals within 0 and 100 % of three seeds or more", () => {
    const runs = [0, 1, 2].map((seed) => runOf("plain", { seed, accuracy: [0.1, 0.9, 1][seed] as number }));
    const three = formatSimulation({ ...resultOf(runs), seeds: [0, 1, 2] });
    expect(three).toContain("means over 3 seeds [intervals of 95 %]");
    expect(three).toContain("66.7 [0.0, 100.0]");
    const two = formatSimulation({ ...resultOf(runs.slice(0, 2)), seeds: [0, 1] });
    expect(two).toContain("means over 2 seeds, too few for intervals");
    expect(two).toMatch(/plain +50\.0 /);
  });

  it("formatSimulation() says which rounds came to nothing", () => {
    const failed = { ...round, failed: "too large" };
    const text = formatSimulation(
      resultOf([runOf("bold", { rounds: [round, failed, failed], failed: "2 in a row" }), runOf("plain")]),
    );
    expect(text.split("\n").at(-1)).toBe(
      "bold (iid, attack none, seed 0): 2 rounds came to nothing, which ended it: too large",
    );
  });

  it("formatSimulation() shows accuracies by statistics of batch norms where they were measured", () => {
    const text = formatSimulation(
      resultOf([runOf("plain"), runOf("fedbn", { norms: { aggregated: 0.11, pooled: 0.22, own: 0.33 } })]),
    );
    expect(text).toMatch(/Strategy .* norms aggregated +of all clients +of each/);
    expect(text).toMatch(/fedbn .* 11\.0 +22\.0 +33\.0/);
  });

  it("formatSimulation() has no column of epsilon where nothing is private", () => {
    expect(formatSimulation(resultOf([runOf("plain")]))).not.toContain("epsilon");
  });
});
