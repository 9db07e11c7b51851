import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { runTask, type TaskExecutor } from "@isthmus/tasks";
import { afterAll, describe, expect, it } from "vitest";
import type { SimulationDescription } from "../description/simulation-description.ts";
import { readSimulation } from "../file/read-simulation.ts";
import { estimateMean, summarizeRuns } from "../result/summarize-runs.ts";
import { SIMULATION_TASKS } from "./federation-task.ts";
import { planSimulation, runSimulation } from "./run-simulation.ts";

const folder = await mkdtemp(join(tmpdir(), "simulation-"));
afterAll(() => rm(folder, { recursive: true }));

const values = Float32Array.from({ length: 240 }, (_, i) => Math.sin(i * i));
const labels = Int32Array.from({ length: 80 }, (_, i) => Number((values[3 * i] as number) > 0));
const data = createDataSet(createTensor("f32", [80, 3], values), labels, { name: "d" });
const engine = createOnnxRuntimeEngine();
const openData = async () => data;
const executor: TaskExecutor = {
  capacity: 2,
  run: (assignment, control) => runTask(SIMULATION_TASKS, assignment, { engine, openData }, control),
};
const options = { engine: engine.name, openData, folder: join(folder, "tasks"), executor };
const small: SimulationDescription = {
  title: "Small",
  federation: { net: "mlp:4", data: "d", evaluate: "d", clients: 4, rounds: 2 },
  strategies: { mean: { rule: "fedavg" }, median: { rule: "coordinate-median" } },
  attacks: { none: null, flip: { name: "sign-flip", attackers: 1 } },
  seeds: "0..1",
};

describe("runSimulation()", () => {
  it("runSimulation() simulates every combination once, and only what is missing afterwards", async () => {
    const first = await runSimulation(small, options);
    expect([first.ran, first.kept, first.failures]).toEqual([8, 0, []]);
    const { simulation } = first;
    expect(simulation?.runs.map(({ strategy, attack, seed }) => `${strategy} ${attack} ${seed}`)).toEqual([
      ...["mean none 0", "mean none 1", "mean flip 0", "mean flip 1"],
      ...["median none 0", "median none 1", "median flip 0", "median flip 1"],
    ]);
    expect(simulation?.divisions.map(({ partition, seed }) => [partition, seed])).toEqual([
      ["iid", 0],
      ["iid", 1],
    ]);
    expect(simulation?.seeds).toEqual([0, 1]);
    const again = await runSimulation(small, options);
    expect([again.ran, again.kept]).toEqual([0, 8]);
    expect(again.simulation).toEqual(simulation);
    const more = await runSimulation({ ...small, seeds: [0, 1, 2] }, options);
    expect([more.ran, more.kept]).toEqual([4, 8]);
    const [mean] = summarizeRuns({ runs: more.simulation?.runs ?? [] });
    expect([mean?.strategy, mean?.attack, mean?.seeds, mean?.failed]).toEqual(["mean", "none", 3, 0]);
  });

  it("planSimulation() plans what two names stand for once, and finds mistakes before anything runs", async () => {
    const twice = { ...small, strategies: { one: {}, other: {} } };
    const plan = await planSimulation(twice, options);
    expect([plan.tasks.length, plan.federations.length]).toEqual([4, 8]);
    const planned = (part: object) => planSimulation({ ...small, ...part }, options);
    const strategies = (strategy: object) => planned({ strategies: { it: strategy } });
    await expect(strategies({ rule: { name: "krum", f: 4 } })).rejects.toThrow(/a round asks 4 clients/);
    await expect(strategies({ rule: { name: "krum", g: 1 } })).rejects.toThrow(/no parameter "g"/);
    await expect(strategies({ server: "adamm" })).rejects.toThrow(/did you mean "adam"/);
    await expect(planned({ attacks: { x: { name: "alie", attackers: 1, tau: -1 } } })).rejects.toThrow(
      /^Cannot attack by alie as "tau" must be/,
    );
    await expect(strategies({ rule: "qfedavg" })).rejects.toThrow(
      'Cannot aggregate by qfedavg as "clientLearningRate" must be given: it is missing',
    );
    await expect(strategies({ server: { name: "adam", learningRate: "x" } })).rejects.toThrow(
      'Cannot step the server by adam as "learningRate" must be a number: it is "x"',
    );
    await expect(planned({ partitions: { x: { name: "dirichlet", alpha: -1 } } })).rejects.toThrow(
      /^Cannot divide examples by dirichlet as "alpha" must be a finite number in/,
    );
    await expect(planned({ seeds: "1" })).rejects.toThrow(
      /^Cannot simulate as "seeds" must be a range FIRST..LAST/,
    );
  });
});

describe("readSimulation()", () => {
  const read = async (text: string) => {
    const path = join(folder, "simulation.yaml");
    await writeFile(path, text);
    return readSimulation(path);
  };
  const federation = "federation: { net: mlp:4, data: d, evaluate: d, clients: 4, rounds: 2 }";

  it("readSimulation() reads what runSimulation() takes", async () => {
    const text = `title: Small\n${federation}\nstrategies: { mean: { rule: fedavg }, median: { rule: coordinate-median } }\nattacks: { none: null, flip: { name: sign-flip, attackers: 1 } }\nseeds: 0..1\n`;
    expect(await read(text)).toEqual(small);
    expect(await read(text.replace("none: null", "none: {}"))).toEqual(small);
    expect(await read(text.replace("none: null", "none: "))).toEqual(small);
  });

  it.each(["each-other", "each other"])("readSimulation() takes `align: %s`", async (align) => {
    const text = `title: Small\n${federation}\nstrategies: { it: { align: ${align} } }\n`;
    expect((await read(text)).strategies).toEqual({ it: { align } });
  });

  it("readSimulation() takes strategies by name, and refuses entries that say nothing", async () => {
    const strategies = async (yaml: string) =>
      (await read(`title: Small\n${federation}\nstrategies:\n${yaml}\n`)).strategies;
    const named = "  fedavg: {}\n  fedadam: {}\n  fedyogi:\n  mine: fedmedian\n  krum: { rule: fedavg }";
    expect(await strategies(named)).toEqual({
      ...{ fedavg: {}, fedadam: { server: "adam" }, fedyogi: { server: "yogi" } },
      ...{ mine: { rule: "coordinate-median" }, krum: { rule: "fedavg" } },
    });
    await expect(strategies("  mean: {}")).rejects.toThrow(/"mean" as it says nothing.*known are fedavg, /);
    await expect(strategies("  mine: fedadm")).rejects.toThrow(/did you mean "fedadam"/);
    await expect(strategies("  fedprox: {}")).rejects.toThrow(/add client: { proximal: 0.1 }/);
  });

  it("readSimulation() names the line of what is wrong", async () => {
    await expect(read(`title: Small\n${federation}\nstrategies:\n  mean: { rul: krum }\n`)).rejects.toThrow(
      /simulation.yaml:4: unknown key "rul"; did you mean "rule"/,
    );
    await expect(
      read(`title: Small\n${federation}\nattacks:\n  flip: { name: sign-flip }\n`),
    ).rejects.toThrow(/simulation.yaml:4: "attacks.flip.attackers" is missing/);
    await expect(read(`title: Small\n${federation}\nseeds: 5..1\n`)).rejects.toThrow(
      /simulation.yaml:3: "seeds" must be a range FIRST..LAST of whole numbers, the smaller first/,
    );
    await expect(read("title: Small\nfederation: mlp\n")).rejects.toThrow(
      /simulation.yaml:2: "federation" must be a mapping of keys to values: it is text/,
    );
    await expect(read(`title: Small\n${federation.replace("rounds: 2", "rounds: 0")}\n`)).rejects.toThrow(
      /simulation.yaml:2: "federation.rounds" must be at least 1$/,
    );
    await expect(read("title: [")).rejects.toThrow(/Cannot read the simulation as it must be YAML/);
  });
});

describe("estimateMean()", () => {
  it("estimateMean() has Student's interval, which two values have not", () => {
    const { mean, low, high } = estimateMean([1, 2, 3, 4, 5]);
    expect(mean).toBe(3);
    expect(high - mean).toBeCloseTo((2.776 * Math.sqrt(2.5)) / Math.sqrt(5), 10);
    expect(mean - low).toBeCloseTo(high - mean, 12);
    expect(estimateMean([7]).mean).toBe(7);
    expect(estimateMean([7, 8]).low).toBeNaN();
  });
});
