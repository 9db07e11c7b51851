import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { type CompareEnsemblesOptions, compareEnsembles } from "@isthmus/ensemble";
import { randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { describe, expect, it } from "vitest";
import { stripes } from "../../../test/helpers/stripes.ts";
import { data, smallArchitecture, testData, trained } from "./small-task.ts";

const architecture = smallArchitecture();
const networks: readonly Checkpoint[] = [
  await trained(0),
  await trained(1),
  await trained(2),
  await trained(3),
];
const selectionData = stripes(30, 2);
const compare = (options: CompareEnsemblesOptions = {}, of = networks) =>
  compareEnsembles(architecture, of, testData, { batchSize: 10, ...options });

const noise = createDataSet(
  createTensor(
    "u8",
    [20, 4, 4],
    Uint8Array.from({ length: 320 }, (_, i) => (i * 97) % 256),
  ),
  new Int32Array(20),
  { name: "noise", classes: 3 },
);

describe("compareEnsembles()", () => {
  it("reads predictions that are kept in place of making them, to the same result", async () => {
    const predictionsPath = mkdtempSync(join(tmpdir(), "isthmus-predictions-"));
    try {
      const options = { selectionData, others: [noise] };
      const whole = await compare(options);
      await compare({ ...options, predictionsPath }, networks.slice(0, 2));
      // Two networks on three data sets, and their mean on two.
      expect(readdirSync(predictionsPath)).toHaveLength(8);
      expect(await compare({ ...options, predictionsPath })).toEqual(whole);
      for (const name of readdirSync(predictionsPath)) {
        const path = join(predictionsPath, name);
        const file = await openCheckpoint(path);
        const { shape, data: before } = await file.read("probabilities");
        await file.close();
        const even = createTensor("f64", shape, new Float64Array(before.length).fill(1 / 3));
        await saveCheckpoint(createCheckpoint(new Map([["probabilities", even]])), path, { overwrite: true });
      }
      const { predictors } = await compare({ ...options, predictionsPath });
      for (const { nll } of predictors) expect(nll).toBeCloseTo(Math.log(3), 12);
    } finally {
      rmSync(predictionsPath, { recursive: true });
    }
  });

  it("compares single networks, their mean, all together, a greedy choice and further ones", async () => {
    const done: number[] = [];
    const result = await compare({
      ...{ selectionData, members: 2, others: [noise, data] },
      further: [{ name: "first two", members: 2, networks: networks.slice(0, 2) }],
      onProgress: (progress) => done.push(progress.done),
    });
    expect(result.predictors.map(({ name, members }) => [name, members])).toEqual([
      ["single networks", 1],
      ["mean of weights", 1],
      ["ensemble of all", 4],
      ["greedy ensemble", result.greedy?.chosen.length],
      ["first two", 2],
    ]);
    expect(result.greedy?.chosen.length).toBeLessThanOrEqual(2);
    expect(result.greedy).toMatchObject({ members: 2, diversity: 1, data: "stripes", examples: 30 });
    expect(result.networks.map(({ network }) => network)).toEqual(networks.map(({ source }) => source));
    const mean = result.networks.reduce((sum, { nll }) => sum + nll / 4, 0);
    expect(result.predictors[0]?.nll).toBeCloseTo(mean, 12);
    expect(result.others).toEqual([
      { data: "noise", examples: 20 },
      { data: "stripes", examples: 60 },
    ]);
    for (const { aurocOthers, reliability, name } of result.predictors) {
      expect(aurocOthers.length).toBe(2);
      const examples = reliability.reduce((sum, bin) => sum + bin.examples, 0);
      expect(examples).toBe(name === "single networks" ? 0 : testData.size);
    }
    expect(done.toSorted((a, b) => a - b)).toEqual(done);
    expect(done.at(-1)).toBeGreaterThan(0.8);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it("an ensemble of equal networks is the network", async () => {
    const [first] = networks as readonly [Checkpoint];
    const { predictors } = await compare({ selectionData }, [first, first, first]);
    const [single, ...others] = predictors;
    for (const other of others) {
      for (const measure of ["accuracy", "nll", "ece", "brier"] as const) {
        expect(other[measure]).toBeCloseTo(single?.[measure] ?? Number.NaN, 10);
      }
    }
  });

  it("an ensemble has at most the mean negative log likelihood and Brier score of its members", async () => {
    const { predictors } = await compare();
    const [single, , ensemble] = predictors;
    expect(ensemble?.nll).toBeLessThanOrEqual(single?.nll ?? 0);
    expect(ensemble?.brier).toBeLessThanOrEqual(single?.brier ?? 0);
    expect(predictors.length).toBe(3);
  });

  it("predictions do not change where units are permuted", async () => {
    const { spec } = await discoverSymmetries(architecture, {});
    const moved = networks.map((network, seed) => permute(randomAlignment(spec, seed), network, spec));
    const [before, after] = [await compare({ selectionData }), await compare({ selectionData }, moved)];
    const both = [before, after].map(({ predictors }) =>
      predictors.filter(({ name }) => name !== "mean of weights"),
    );
    both[0]?.forEach(({ nll, accuracy }, i) => {
      expect(both[1]?.[i]?.nll).toBeCloseTo(nll, 5);
      expect(both[1]?.[i]?.accuracy).toBeCloseTo(accuracy, 10);
    });
  });

  it("measures batch norms of the mean anew", async () => {
    const normed = smallArchitecture(true);
    const random = [0, 1].map((seed) => createCheckpoint(randomWeights(normed.graph, seed)));
    const result = await compareEnsembles(normed, random, testData, { statisticsData: data });
    expect(result.recalibrated).toBe(true);
    expect((await compare()).recalibrated).toBe(false);
  });

  it("refuses no networks, networks that do not fit, and numbers out of their range", async () => {
    await expect(compare({}, [])).rejects.toThrow(/at least one network: there are none/);
    await expect(compare({}, [createCheckpoint(new Map())])).rejects.toThrow(/l0/);
    await expect(compare({ selectionData, members: 0 })).rejects.toThrow(/"members" must be/);
    await expect(compare({ selectionData, diversity: -1 })).rejects.toThrow(/"diversity" must be/);
    await expect(compare({ member: 1 } as never)).rejects.toThrow(/no option "member"/);
  });
});
