import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, readGraph } from "@isthmus/graph";
import {
  type MeasureSimilarityOptions,
  measureSimilarity,
  type SimilarityProgress,
  type SimilarityResult,
} from "@isthmus/similarity";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp, smallTransformer } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const FEW = { anchors: 20, neighbours: 4, bandwidth: 0.5 };

/** Largest difference of two results, which must have the same form. */
function differenceOf(one: SimilarityResult, other: SimilarityResult): number {
  expect(one.tables.map(({ number }) => number)).toEqual(other.tables.map(({ number }) => number));
  const [x, y] = [one, other].map(({ tables }) => tables.flatMap(({ values }) => values.flat()));
  expect(x?.length).toBeGreaterThan(0);
  return Math.max(...(x ?? []).map((value, i) => Math.abs((value ?? Number.NaN) - (y?.[i] ?? Number.NaN))));
}

function networksOf(graph: Graph, size: number, shape: readonly number[]) {
  const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
  const data = randomExamples(shape, { size });
  const measure = (options: MeasureSimilarityOptions = {}, second: Checkpoint = b, first: Checkpoint = a) =>
    measureSimilarity({ graph, engine, network: first }, { graph, engine, network: second }, data, {
      ...FEW,
      ...options,
    });
  return { a, b, data, measure };
}

const mlp = networksOf(smallMlp(), 60, [6]);
const cnn = networksOf(smallCnn(), 60, [2, 4, 4]);

describe("measureSimilarity()", () => {
  test("names what layers with weights read and the output, each 1 with itself", async () => {
    const result = await mlp.measure({}, mlp.a);
    expect(result).toMatchObject({ kind: "similarity", positions: "flatten", samples: 60, examples: 60 });
    expect(result.layersA.map(({ features }) => features)).toEqual([16, 12, 4]);
    expect(result.layersB).toEqual(result.layersA);
    for (const { number, values } of result.tables) {
      values.forEach((row, i) => {
        expect(row[i], number).toBeCloseTo(1, 5);
      });
    }
    const [first] = result.tables;
    expect(first?.values[0]?.[2]).toBeLessThan(0.99);
  });

  test("goes on from its journal to the same numbers after an interruption", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-similarity-"));
    try {
      const journalPath = join(folder, "layers.json");
      const stop = new AbortController();
      let seen = 0;
      const onProgress = ({ stage }: SimilarityProgress) => {
        seen += stage === "comparison" ? 1 : 0;
        // In the second column of the first measure.
        if (seen === 5) stop.abort();
      };
      const whole = await cnn.measure();
      await expect(cnn.measure({ journalPath, signal: stop.signal, onProgress })).rejects.toThrow(/abort/i);
      const pieces = () => Object.keys(JSON.parse(readFileSync(journalPath, "utf8")).pieces);
      const before = pieces();
      expect(before.length).toBeGreaterThan(0);
      expect(await cnn.measure({ journalPath })).toEqual(whole);
      const written = readFileSync(journalPath, "utf8");
      expect(pieces().slice(0, before.length)).toEqual(before);
      expect(await cnn.measure({ journalPath, measures: ["svcca"] })).toMatchObject({
        tables: whole.tables.filter(({ number }) => number === "svcca"),
      });
      expect(readFileSync(journalPath, "utf8")).toBe(written);
      await expect(cnn.measure({ journalPath, variance: 0.5 })).rejects.toThrow(
        '"variance" is 0.99 there and 0.5 here',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("alignment does not change any number: an MLP trained twice", async () => {
    const { graph } = await readGraph(`${NARROW_MLP}/graph.onnx`);
    const [a, b] = [
      await openCheckpoint(`${NARROW_MLP}/s0.safetensors`),
      await openCheckpoint(`${NARROW_MLP}/s1.safetensors`),
    ];
    try {
      const { spec } = await discoverSymmetries({ graph, engine });
      const { alignment } = await matchWeights({ spec, graph, engine }, [a, b], { seed: 0 });
      const data = await openDataSet("mnist:test@120");
      const measure = (network: Checkpoint) =>
        measureSimilarity({ graph, engine, network: a }, { graph, engine, network }, data, FEW);
      const aligned = await measure(permute(alignment, b, spec));
      expect(differenceOf(await measure(b), aligned)).toBeLessThan(1e-5);
    } finally {
      await a.close();
      await b.close();
    }
  });

  test.each(["flatten", "average"] as const)("permuting a CNN changes no number, %s", async (positions) => {
    const { spec } = await discoverSymmetries({ graph: smallCnn(), engine });
    const permuted = permute(randomAlignment(spec, 3), cnn.b, spec);
    const measures = ["linear-cka", "rbf-cka", "svcca", "procrustes", "relative"] as const;
    const before = await cnn.measure({ positions, measures });
    expect(differenceOf(before, await cnn.measure({ positions, measures }, permuted))).toBeLessThan(1e-5);
    expect(before.positions).toBe(positions);
    // A network that computes something else has other numbers.
    expect(differenceOf(before, await cnn.measure({ positions, measures }, cnn.a))).toBeGreaterThan(1e-2);
  });

  test("positions of images are features, averaged, or samples of values of one size", async () => {
    const features = async (options: MeasureSimilarityOptions) =>
      (await cnn.measure({ measures: ["linear-cka"], ...options })).layersA.map((layer) => layer.features);
    expect(await features({})).toEqual([96, 32, 10, 3]);
    expect(await features({ positions: "average" })).toEqual([6, 32, 10, 3]);
    await expect(features({ positions: "samples" })).rejects.toThrow(/"Relu.*" has 16 .* 1; name values/);
  });

  test("batches and wide layers change nothing beyond rounding", async () => {
    const measures = ["linear-cka", "rbf-cka", "procrustes"] as const;
    for (const { measure } of [mlp, cnn]) {
      const whole = await measure({ measures });
      expect(differenceOf(whole, await measure({ measures, batchSize: 7 }))).toBeLessThan(1e-5);
    }
  });

  test("streams linear CKA where features are few, to the numbers that Gram matrices give", async () => {
    const streamed = await mlp.measure({ measures: ["linear-cka"] });
    const wide = await mlp.measure({ measures: ["linear-cka"], estimator: "minibatch", block: 60 });
    expect(differenceOf(streamed, wide)).toBeLessThan(1e-10);
    expect(wide.block).toBe(60);
  });

  test("takes samples at equal distances, of all batches", async () => {
    const every = await mlp.measure({ measures: ["linear-cka"], samples: 20 });
    expect(every.samples).toBe(20);
    const again = await mlp.measure({ measures: ["linear-cka"], samples: 20, batchSize: 7 });
    expect(differenceOf(every, again)).toBeLessThan(1e-5);
  });

  test("compares networks of different graphs", async () => {
    const b = new GraphBuilder();
    const hidden = b.op("Relu", [b.linear(b.input("x", [6]), "l0", 6, 20)]);
    const graph = b.output(b.linear(hidden, "l1", 20, 4)).build("other");
    const [first, second] = [
      { graph: smallMlp(), engine, network: mlp.a },
      { graph, engine, network: randomNetwork(graph, 3) },
    ];
    const result = await measureSimilarity(first, second, mlp.data, FEW);
    expect(result.tables.map(({ values }) => values.map((row) => row.length))).toEqual(
      result.tables.map(() => [2, 2, 2]),
    );
  });

  test("refuses names of no value, and says which there are", async () => {
    await expect(mlp.measure({ values: ["none.*"] })).rejects.toThrow(/"none\.\*" as it must match a value/);
    await expect(mlp.measure({ samples: 3 })).rejects.toThrow(/at least 10 samples: there are 3/);
  });

  test("stops when it is told to, and says how far it is", async () => {
    const done: number[] = [];
    await mlp.measure({ onProgress: (progress) => done.push(progress.done) });
    expect(done).toEqual(done.toSorted((x, y) => x - y));
    expect(done.at(-1)).toBeCloseTo(1);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(mlp.measure({ signal })).rejects.toThrow("enough");
  });
});

test("positions are samples where all values are sequences of one length", async () => {
  const graph = smallTransformer();
  const data = randomExamples([4, 5], { size: 30 });
  const networkOf = (seed: number) => ({ graph, engine, network: randomNetwork(graph, seed) });
  const measure = (options: MeasureSimilarityOptions) =>
    measureSimilarity(networkOf(1), networkOf(2), data, { ...FEW, ...options });
  const result = await measure({});
  expect(result).toMatchObject({ positions: "samples", samples: 120, examples: 30 });
  expect(result.layersA.at(-1)?.features).toBe(3);
  const flat = await measure({ positions: "flatten" });
  expect(flat.samples).toBe(30);
  expect(flat.layersA.map(({ features }) => features)).toEqual(
    result.layersA.map(({ features }) => 4 * features),
  );
});
