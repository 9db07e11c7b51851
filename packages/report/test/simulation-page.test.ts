import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readResult, renderFigures, renderResultPage, renderTables } from "@isthmus/report";
import { SIMULATION_RESULT, type SimulatedRun, type SimulationResult } from "@isthmus/simulation";
import { describe, expect, it } from "vitest";

const clients = ["client-0", "client-1"].map((client, i) => ({ client, labels: [10 * i + 5, 3, 0] }));

function runOf(strategy: string, attack: string, seed: number, accuracy: number): SimulatedRun {
  const barrier = {
    round: 1,
    a: "client-0",
    b: "client-1",
    whole: 0.5,
    layers: [{ name: "fc", barrier: 0.2 }],
  };
  return {
    ...{ partition: "skewed", strategy, attack, seed, accuracy, loss: 1 },
    attackers: attack === "none" ? [] : ["client-1"],
    rounds: [1, 2].map((round) => ({
      ...{ round, updates: 2, refused: [], bytesDown: 1e6 * round, bytesUp: 1e6 * round, trainLoss: 1 },
      ...{ changeNorm: 1, accuracy: (accuracy * round) / 2, loss: 1, local: accuracy },
    })),
    clients: clients.map(({ client }) => ({ client, attacker: false, examples: 18, accuracy })),
    fairness: { mean: accuracy, std: 0.01, worst: accuracy - 0.1 },
    barriers: [
      { ...barrier, aligned: false },
      { ...barrier, aligned: true, whole: 0.1 },
    ],
  };
}

const result: SimulationResult = {
  ...{ kind: "simulation", title: "Two rules", description: "They are compared.", engine: "test" },
  federation: { net: "mlp:4", data: "d", evaluate: "d", clients: 2, rounds: 2 },
  partitions: { skewed: { name: "dirichlet", alpha: 0.5 } },
  strategies: { mean: {}, median: { rule: "coordinate-median" } },
  attacks: { none: null, flip: { name: "sign-flip", attackers: 1 } },
  seeds: [0, 1, 2],
  runs: ["mean", "median"].flatMap((strategy, i) =>
    ["none", "flip"].flatMap((attack, k) =>
      [0, 1, 2].map((seed) => runOf(strategy, attack, seed, 0.9 - 0.3 * k * (1 - i) + 0.02 * seed)),
    ),
  ),
  divisions: [0, 1, 2].map((seed) => ({ partition: "skewed", seed, clients })),
};

describe("describeSimulation()", () => {
  it("describeSimulation() has a table of means over seeds with Student's intervals", () => {
    const { sections } = SIMULATION_RESULT.describe(result);
    const table = sections[0]?.tables[0];
    expect(table?.rows.map(({ cells }) => cells.slice(0, 3))).toEqual([
      ["mean", "skewed", "none"],
      ["mean", "skewed", "flip"],
      ["median", "skewed", "none"],
      ["median", "skewed", "flip"],
    ]);
    const [mean, low, high] = (table?.rows[1]?.cells.slice(3, 6) ?? []) as number[];
    expect(mean).toBeCloseTo(0.62, 12);
    expect((high as number) - (low as number)).toBeCloseTo((2 * 4.303 * 0.02) / Math.sqrt(3), 10);
    const barriers = sections.find(({ name }) => name === "section-barriers")?.tables[0]?.rows;
    expect(barriers?.[0]?.cells.slice(4)).toEqual(["all layers", "as trained", 0.5]);
  });

  it("describeSimulation() has a table of accuracies by statistics of batch norms where they were measured", () => {
    const norms = { aggregated: 0.3, pooled: 0.6, own: 0.9 };
    const runs = result.runs.map((run) => (run.strategy === "mean" ? { ...run, norms } : run));
    const [{ tables = [] } = {}] = SIMULATION_RESULT.describe({ ...result, runs }).sections;
    const [first] = tables[1]?.rows ?? [];
    expect(first?.cells.slice(0, 6)).toEqual(["mean", "skewed", "none", 0.3, 0.3, 0.3]);
    expect(first?.cells.slice(6, 12)).toEqual([0.6, 0.6, 0.6, 0.9, 0.9, 0.9]);
    expect(tables[1]?.rows).toHaveLength(2);
    expect(SIMULATION_RESULT.describe(result).sections[0]?.tables).toHaveLength(1);
  });

  it("describeSimulation() draws attacks, fairness, rounds, bytes, barriers and partitions", async () => {
    const figures = await renderFigures(result, { theme: "light" });
    expect(figures.map(({ name }) => name)).toEqual([
      ...["attacks-1", "fairness-1", "rounds-1", "bytes-1", "barriers-1", "barriers-2", "partition-1"],
    ]);
    const partition = figures.at(-1)?.svg ?? "";
    expect(partition).toContain("2 clients have 8 to 18 examples of 3 classes");
    expect(partition).toContain("client-1, class 0: 15");
    expect(partition).not.toContain("class 2: ");
    expect((await renderTables(result)).map(({ name }) => name)).toEqual([
      "accuracy",
      "rounds",
      "barriers",
      "partitions",
    ]);
    const page = await renderResultPage({ title: "Two rules", result });
    expect(page).toContain("They are compared.");
  });

  it("describeSimulation() writes the legend of a heat map in percent, as its cells", async () => {
    const figures = await renderFigures(result, { theme: "light" });
    const heat = figures.find(({ name }) => name === "attacks-1")?.svg ?? "";
    const numbers = [...heat.matchAll(/>([\d.]+)<\/text>/g)].map(([, text]) => Number(text));
    expect(numbers).toContain(92);
    expect(numbers.length).toBeGreaterThan(6);
    expect(Math.min(...numbers)).toBeGreaterThan(60);
  });

  it("describeSimulation() ends intervals and axes where shares do, and ticks rounds at whole numbers", async () => {
    const runs = [0.1, 0.9, 1].map((accuracy, seed) => runOf("mean", "none", seed, accuracy));
    const wide = { ...result, runs, strategies: { mean: {} }, attacks: { none: null } };
    const cells = SIMULATION_RESULT.describe(wide).sections[0]?.tables[0]?.rows[0]?.cells ?? [];
    expect(cells.slice(3, 5)).toEqual([0, 1]);
    const figures = await renderFigures(wide, { theme: "light" });
    const lines = figures.find(({ name }) => name === "rounds-1")?.svg ?? "";
    const ticks = [...lines.matchAll(/>(-?[\d.]+)<\/text>/g)].map(([, text]) => Number(text));
    expect(ticks).toContain(100);
    expect(Math.max(...ticks)).toBe(100);
    expect(Math.min(...ticks)).toBe(0);
    expect(ticks).not.toContain(1.5);
  });

  it("describeSimulation() has no intervals of two seeds, and says so", () => {
    const two = { ...result, seeds: [0, 1], runs: result.runs.filter(({ seed }) => seed < 2) };
    const { sections } = SIMULATION_RESULT.describe(two);
    const table = sections[0]?.tables[0];
    expect(table?.columns.map(({ title }) => title)).not.toContain("Accuracy, low");
    expect(table?.caption).toContain("means over 2 seeds, too few for intervals");
    expect(sections[1]?.figures[0]?.caption).toContain("too few for intervals");
  });

  it("describeSimulation() shows epsilon of private federations, and why they ended", async () => {
    const [run = runOf("mean", "none", 0, 0.9), ...others] = result.runs;
    expect((await renderTables(result)).some(({ csv }) => csv.includes("Epsilon"))).toBe(false);
    const rounds = run.rounds.map((round) => ({ ...round, epsilon: 1.25 * round.round, clip: 0.5 }));
    const runs = [{ ...run, rounds, stopped: "the budget is spent" }, ...others];
    const { sections } = SIMULATION_RESULT.describe({ ...result, runs });
    const [accuracy, ofRounds] = sections.map(({ tables }) => tables[0]);
    expect(accuracy?.columns.at(-1)?.title).toBe("Epsilon");
    expect(accuracy?.rows.map(({ cells }) => cells.at(-1))).toEqual([2.5, null, null, null]);
    expect(accuracy?.caption).toContain("mean ended early: the budget is spent.");
    expect(ofRounds?.rows[0]?.cells.slice(-2)).toEqual([1.25, 0.5]);
  });

  it("describeSimulation() draws what readResult() reads, with NaN where nothing was measured", async () => {
    const folder = await mkdtemp(join(tmpdir(), "simulation-"));
    const path = join(folder, "simulation.json");
    const failed = { ...runOf("mean", "none", 0, Number.NaN), rounds: [], barriers: [], failed: "no quorum" };
    await writeFile(path, JSON.stringify({ ...result, runs: [failed, ...result.runs.slice(1)] }));
    const read = await readResult(path);
    expect(read.kind === "simulation" && read.runs[0]?.accuracy).toBeNaN();
    expect((await renderFigures(read, { theme: "dark" })).length).toBeGreaterThan(4);
    await writeFile(path, JSON.stringify({ ...result, runs: [{}] }));
    await expect(readResult(path)).rejects.toThrow(/"runs.0.partition"/);
    await rm(folder, { recursive: true });
  });
});
