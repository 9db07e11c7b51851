// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import { countStudy } from "../description/assert-study-size.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";
import { planStudy } from "./plan-study.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name, 0);
const ports = { engine: engine.name, openData };
const executor = studyExecutor({ engine, openData });

/** Tickets by gradients and by evolution, and a network that goes back to its start in two orders. */
const STUDY: StudyDescription = {
  title: "Tickets",
  networks: {
    gradient: {
      for: { seed: [0, 1] },
      ...{ tickets: "gradient", net: "mlp:4", data: "few:train", seed: "${seed}", sparsity: 0.5, rounds: 2 },
      ...{ epochs: 2, batch: 4, rewind: 1, by: "layer" },
    },
    evolution: {
      ...{
        tickets: "evolution",
        net: "mlp:4",
        data: "few:train",
        seed: 0,
        sparsity: 0.5,
        rounds: 1,
        by: "layer",
      },
      ...{ generations: 3, population: 4, batch: 4 },
    },
    dense: { net: "mlp:4", data: "few:train", seed: 0, epochs: 2, snapshots: [0, 2], batch: 4 },
    again: {
      for: { order: [1, 2] },
      ...{ prune: "dense", where: { epochs: 2 }, rewind: 0, sparsity: 0.5, by: "layer" },
      ...{ data: "few:train", seed: "${order}", epochs: 1, batch: 4 },
    },
    fresh: { prune: "dense", where: { epochs: 2 }, rewind: 0, sparsity: 0, by: "layer" },
  },
  measurements: {
    rounds: {
      kind: "barrier",
      between: "gradient",
      across: "round",
      choose: "consecutive",
      data: "few:test",
      points: 3,
    },
    evolved: { kind: "barrier", between: "evolution", across: "round", data: "few:test", points: 3 },
    orders: { kind: "barrier", between: "again", across: "order", data: "few:test", points: 3 },
    start: { kind: "barrier", between: ["dense", "fresh"], across: "epochs", data: "few:test", points: 3 },
  },
  tables: {
    rounds: {
      title: "Barriers",
      of: "rounds",
      by: ["seed", "pair"],
      columns: {
        seed: { title: "Seed" },
        pair: { title: "Rounds" },
        b: { title: "Barrier", mean: "barrier.loss.chord" },
      },
    },
  },
};

const planWith = (networks: object) =>
  planStudy(
    { ...STUDY, networks: networks as StudyDescription["networks"], measurements: {}, tables: {} },
    ports,
  );

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("planTickets(), rewind", () => {
  it("plan a network for every round, counted before", () => {
    expect(Object.fromEntries(countStudy(STUDY))).toMatchObject({
      ...{ "networks.gradient": 6, "networks.evolution": 2, "networks.dense": 2, "networks.again": 2 },
    });
  });

  it("refuse to go back where there is nothing to go back to", async () => {
    const { gradient, dense } = STUDY.networks;
    await expect(planWith({ gradient: { ...gradient, rewind: 2 } })).rejects.toThrow(
      /"rewind" must be less than the 2 epochs: it is 2/,
    );
    const again = { prune: "dense", where: { epochs: 2 }, rewind: 1, sparsity: 0.5 };
    await expect(planWith({ dense, again })).rejects.toThrow(
      /"rewind" must be one of the snapshots of .*, 0, 2: it is 1; add it to "snapshots"/,
    );
  });

  it("find tickets, and set networks back, the same every time", async () => {
    const { study: result, ran } = await runStudy(STUDY, { ...ports, folder, executor });
    expect(result?.tables[0]?.rows.map(({ seed, pair }) => [seed, pair])).toEqual([
      [0, "0-1"],
      [0, "1-2"],
      [1, "0-1"],
      [1, "1-2"],
    ]);
    const { tasks, measurements } = await planStudy(STUDY, ports);
    expect(ran).toBe(tasks.length);
    const zerosOf = async (key: string, file: string) => {
      const weights = await openCheckpoint(join(folder, key, file));
      const { data } = await weights.read("layers.0.weight");
      await weights.close();
      return [...(data as Float32Array)].filter((value) => value === 0).length / data.length;
    };
    for (const { key } of tasks.filter(({ kind }) => kind === "tickets")) {
      expect(await zerosOf(key, "weights-0.safetensors")).toBeLessThan(0.2);
      expect(await zerosOf(key, "weights-1.safetensors")).toBeGreaterThan(0.25);
    }
    expect(measurements["start"]).toBeDefined();
    const again = await runStudy(STUDY, { ...ports, folder, executor });
    expect(again.ran).toBe(0);
    expect(again.study).toEqual(result);
  });
});
