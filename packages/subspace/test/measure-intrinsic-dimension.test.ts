import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { type MeasureIntrinsicDimensionOptions, measureIntrinsicDimension } from "@isthmus/subspace";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { dropoutCnn } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const graph = dropoutCnn();
const architecture = { graph, engine: createOnnxRuntimeEngine() };
const initialize = (seed: number) => createCheckpoint(randomWeights(graph, seed));
const data = { training: stripes(120), evaluation: stripes(60, 1) };
const options: MeasureIntrinsicDimensionOptions = {
  ...{ seeds: [0, 1], epochs: 6, batch: 20, threads: 1, resolution: 0.5, first: 40 },
  baselineSchedule: { kind: "cosine", learningRate: 0.03 },
  projection: "sparse",
};
const measure = (more: MeasureIntrinsicDimensionOptions = {}) =>
  measureIntrinsicDimension(architecture, initialize, data, { ...options, ...more });

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("measureIntrinsicDimension()", () => {
  it("finds where accuracies reach 90 % of the full accuracy", async () => {
    const result = await measure();
    const { dimension, crossing, line, baseline, points, parameters, crossings } = result;
    expect(parameters).toBe(243);
    const mean = baseline.reduce((sum, { accuracy }) => sum + accuracy, 0) / 2;
    expect(line).toBeCloseTo(0.9 * mean, 12);
    expect(mean).toBeGreaterThan(0.8);
    expect(result.untrained).toMatchObject({ learned: true, startReaches: false });
    expect(baseline.map(({ seed }) => seed)).toEqual([0, 1]);
    const dimensions = points.map((point) => point.dimension);
    expect(dimensions).toEqual(dimensions.toSorted((a, b) => a - b));
    expect(new Set(dimensions).size * 2).toBe(points.length);
    expect(dimensions).toContain(dimension);
    expect(crossing).toBeLessThanOrEqual(dimension ?? 0);
    expect(crossings.map(({ seed }) => seed)).toEqual([0, 1]);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it("goes on from its journal to the same result, and leaves no state behind", async () => {
    const whole = await measure();
    const journalPath = join(folder, "run.json");
    const controller = new AbortController();
    const stopped = measure({
      journalPath,
      signal: controller.signal,
      onProgress: ({ trainings, training }) => {
        if (trainings === 3 && training.step === 8) controller.abort();
      },
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(Object.keys(JSON.parse(readFileSync(journalPath, "utf8")).pieces)).toHaveLength(3);
    expect(existsSync(`${journalPath}.dimension-40-seed-1.safetensors`)).toBe(true);
    const began: number[] = [];
    const onProgress: MeasureIntrinsicDimensionOptions["onProgress"] = ({ trainings, training }) => {
      if (began.at(-1) !== trainings) began.push(trainings, training.step);
    };
    expect(await measure({ journalPath, onProgress })).toEqual(whole);
    expect(began.slice(0, 2)).toEqual([3, 9]);
    expect(readdirSync(folder)).toEqual(["run.json"]);
    expect(await measure({ journalPath, seeds: [1] })).toMatchObject({ seeds: [1] });
    await expect(measure({ journalPath, projection: "dense" })).rejects.toThrow(
      /"projection" is "sparse" there/,
    );
  });

  it("says that no dimension reaches the line", async () => {
    const result = await measure({ seeds: [0], most: 2, first: 2, threshold: 1 });
    expect(result).toMatchObject({
      dimension: null,
      crossing: null,
      crossings: [{ seed: 0, dimension: null }],
    });
    expect(result.interval).toBeUndefined();
    expect(result.points.map(({ dimension }) => dimension)).toEqual([2]);
  });

  it("says that nothing was learned where full trainings reach what networks start with", async () => {
    const still = { kind: "constant", learningRate: 1e-9 } as const;
    const b = new GraphBuilder(17);
    const plain = b.output(b.linear(b.reshape(b.input("x", [1, 4, 4]), 0, 16), "head", 16, 3)).build("plain");
    const weights = () => createCheckpoint(randomWeights(plain, 0));
    const result = await measureIntrinsicDimension({ ...architecture, graph: plain }, weights, data, {
      ...{ ...options, seeds: [0], epochs: 1, baselineSchedule: still, most: 3, first: 1 },
    });
    const { untrained, baseline, line } = result;
    expect(untrained).toMatchObject({ learned: false, startReaches: true });
    expect(untrained?.start[0]?.accuracy).toBeCloseTo(baseline[0]?.accuracy ?? Number.NaN, 12);
    expect(untrained?.guess).toBeGreaterThanOrEqual(1 / 3);
    expect(line).toBeLessThan(untrained?.start[0]?.accuracy ?? Number.NaN);
  });

  it.each([
    [{ most: 244 }, /"most" must be at most the 243 trained parameters: it is 244/],
    [{ least: 5, most: 4 }, /"least" must be at most the largest dimension, 4: it is 5/],
    [{ first: 244 }, /"first" must be from the smallest dimension, 1, to the largest, 243: it is 244/],
    [{ first: 2, least: 3 }, /"first" must be from the smallest dimension, 3, to the largest, 243: it is 2/],
    [{ first: 0 }, /"first" must be a whole number of at least 1/],
    [{ seeds: [] }, /"seeds" must have at least one seed/],
    [{ seeds: [1, 1] }, /"seeds" must differ: they are 1, 1/],
    [{ threshold: 0 }, /"threshold" must be a number above 0 and at most 1: it is 0/],
    [{ resolution: 0 }, /"resolution" must be a number above 0 and at most 1: it is 0/],
    [{ epochs: 0 }, /"epochs" must be a whole number of at least 1/],
    [{ loss: { kind: "mean-squared-error" } }, /the loss "mean-squared-error" has none/],
    [{ optimizer: { kind: "sam", base: { kind: "sgd" } } }, /with optimizer "sam"/],
    [{ freeze: ["*"] }, /at least one parameter must be trained: all are frozen/],
    [{ projection: "full" as never }, /"projection" must be one of dense, sparse, fastfood/],
    [
      { scope: "layer", least: 2 },
      /"least" must be a whole number of at least 3, one for each layer: it is 2/,
    ],
  ] as const)("refuses %j before it trains", async (more, message) => {
    let steps = 0;
    const run = measure({ ...(more as MeasureIntrinsicDimensionOptions), onProgress: () => steps++ });
    await expect(run).rejects.toThrow(message);
    expect(steps).toBe(0);
  });
});
