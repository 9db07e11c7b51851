import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MeasurePlaneOptions, measurePlane, type PlaneModels, type PlaneResult } from "@isthmus/barrier";
import { type Checkpoint, createCheckpoint, FormatError, MismatchError } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, type Graph } from "@isthmus/graph";
import { average, lerp } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 20;

const examples = (shape: readonly number[], { seed = 1 } = {}): DataSet =>
  randomExamples(shape, { size: EXAMPLES, classes: 3, seed, name: `random ${seed}` });

const mlp = smallMlp();
const data = examples([6]);
const [a, b, c, d] = [1, 2, 3, 4].map((seed) => randomNetwork(mlp, seed)) as [
  Checkpoint,
  Checkpoint,
  Checkpoint,
  Checkpoint,
];

const label = (network: Checkpoint, name = network.source) => ({ label: name, network });
const spanning = (...networks: [Checkpoint, Checkpoint, Checkpoint]) =>
  networks.map((network) => label(network)) as unknown as PlaneModels;

interface Parts {
  readonly graph?: Graph;
  readonly models?: PlaneModels;
  readonly data?: DataSet;
  readonly placed?: MeasurePlaneOptions["placed"];
}

const measure = (options: MeasurePlaneOptions = {}, parts: Parts = {}) =>
  measurePlane({ graph: parts.graph ?? mlp, engine }, parts.models ?? spanning(a, b, c), parts.data ?? data, {
    placed: parts.placed,
    points: 3,
    margin: 0,
    ...options,
  });

async function evaluate(graph: Graph, network: Checkpoint, on: DataSet, recalibrated = false) {
  const { loss, error } = await evaluateNetwork(
    { graph, data: on },
    recalibrated ? await recalibrateBatchNorm({ graph, engine }, network, on) : network,
  );
  return { loss, error };
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-plane-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("measurePlane()", () => {
  test("has at every place what evaluate() says of the network there", async () => {
    const result = await measure();
    const [first, second, third] = result.models;
    expect(result).toMatchObject({
      kind: "plane",
      statistics: "recalibrate",
      examples: EXAMPLES,
      data: "random 1",
    });
    expect([first!.x, first!.y, third!.y, first!.distance]).toEqual([0, 0, 0, 0]);
    expect(second!.y).toBeGreaterThan(0);
    for (const [k, network] of [a, b, c].entries()) {
      expect(result.models[k]).toMatchObject(await evaluate(mlp, network, data));
    }
    // The lower edge goes from the first network to the third, by the middle between them.
    expect(result.xs).toEqual([0, third!.x / 2, third!.x]);
    expect(result.ys).toEqual([0, second!.y / 2, second!.y]);
    const edge = [a, lerp(a, c, 0.5), c];
    for (const [k, network] of edge.entries()) {
      const { loss, error } = await evaluate(mlp, network, data);
      expect(result.loss[0]![k]).toBeCloseTo(loss, 6);
      expect(result.error[0]![k]).toBe(error);
    }
  });

  test("lays the margin around all networks, placed ones too", async () => {
    const plain = await measure({ points: 2, margin: 0.5 });
    const [, second, third] = plain.models;
    expect(plain.xs).toEqual([-0.5 * third!.x, 1.5 * third!.x]);
    expect(plain.ys).toEqual([-0.5 * second!.y, 1.5 * second!.y]);

    const inside = label(average([a, b, c]), "mean");
    const outside = label(lerp(a, c, 2), "beyond");
    const { models, xs } = await measure({ points: 2 }, { placed: [inside, outside, label(d)] });
    expect(models.map((model) => model.label)).toEqual([
      ...["network 1", "network 2", "network 3"],
      ...["mean", "beyond", "network 4"],
    ]);
    const [, , , mean, beyond, other] = models;
    expect(mean!.x).toBeCloseTo((second!.x + third!.x) / 3, 5);
    expect(mean!.y).toBeCloseTo(second!.y / 3, 5);
    expect(mean!.distance).toBeLessThan(1e-5);
    expect(beyond!.x).toBeCloseTo(2 * third!.x, 5);
    expect(xs[1]).toBe(beyond!.x);
    expect(other!.distance).toBeGreaterThan(1);
  });

  test("draws a curve whose bend is the second network", async () => {
    const [bezier, chain] = await Promise.all(
      (["bezier", "chain"] as const).map((curve) => measure({ points: 2, curve })),
    );
    const [, second, third] = bezier!.models;
    const pointsOf = ({ paths }: PlaneResult) => paths[0]!.points;
    for (const result of [bezier!, chain!]) {
      expect(pointsOf(result)[0]).toEqual([0, 0]);
      expect(pointsOf(result).at(-1)).toEqual([third!.x, 0]);
    }
    expect(pointsOf(chain!)[50]).toEqual([second!.x, second!.y]);
    expect(pointsOf(bezier!)[50]![1]).toBeCloseTo(second!.y / 2, 10);
    expect((await measure({ points: 2 })).paths).toEqual([]);
  });

  test("recalibrates every network, of batch norms distances count parameters only", async () => {
    const cnn = smallCnn();
    const images = examples([2, 4, 4]);
    const networks = [1, 2, 3].map((seed) => randomNetwork(cnn, seed)) as [
      Checkpoint,
      Checkpoint,
      Checkpoint,
    ];
    const parts = { graph: cnn, data: images, models: spanning(...networks) };
    const unchanged = await measure({ points: 2, statistics: "keep" }, parts);
    const recalibrated = await measure({ points: 2 }, parts);
    const expected = await evaluate(cnn, networks[0], images, true);
    expect(recalibrated.models[0]).toMatchObject(expected);
    expect(recalibrated.loss[0]![0]).toBeCloseTo(expected.loss, 6);
    expect(unchanged.models[0]!.loss).not.toBe(recalibrated.models[0]!.loss);
    const other = await measure({ points: 2, statisticsData: examples([2, 4, 4], { seed: 2 }) }, parts);
    expect(other.models[0]!.loss).not.toBe(recalibrated.models[0]!.loss);

    const shifted = createCheckpoint(
      new Map(
        [...(await bindWeights(cnn, networks[1]))].map(([name, tensor]) => {
          return [
            name,
            name.endsWith(".mean")
              ? { ...tensor, data: (tensor.data as Float32Array).map((x) => x + 9) }
              : tensor,
          ];
        }),
      ),
    );
    const models = spanning(networks[0], shifted, networks[2]);
    expect((await measure({ points: 2 }, { ...parts, models })).ys).toEqual(unchanged.ys);
  });

  test("counts what is done", async () => {
    const seen: number[] = [];
    await measure({ points: 2, onProgress: ({ completed, total }) => seen.push(completed, total) });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].flatMap((done) => [done, 7]));
  });

  test("that was stopped goes on to the same bytes, and begins with the row it was in", async () => {
    const whole = JSON.stringify(await measure());
    const journalPath = join(folder, "rows.json");
    const controller = new AbortController();
    const stopped = measure({
      journalPath,
      signal: controller.signal,
      onProgress: ({ completed }) => completed === 5 && controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(Object.keys(JSON.parse(await readFile(journalPath, "utf8")).pieces)).toEqual(["row 0"]);
    const seen: number[] = [];
    const rest = await measure({ journalPath, onProgress: ({ completed }) => seen.push(completed) });
    expect(JSON.stringify(rest)).toBe(whole);
    expect(seen[0]).toBe(4);
    expect(JSON.stringify(await measure({ journalPath }))).toBe(whole);
  });

  test("goes on from numbers that JSON has none for", async () => {
    const journalPath = join(folder, "nan.json");
    const cnn = smallCnn();
    const networks = [1, 2, 3].map((seed) => randomNetwork(cnn, seed)) as [
      Checkpoint,
      Checkpoint,
      Checkpoint,
    ];
    const parts = { graph: cnn, data: examples([2, 4, 4]), models: spanning(...networks) };
    // Far out, variances are negative.
    const first = await measure({ journalPath, margin: 9, statistics: "keep" }, parts);
    expect(first.loss.flat().some(Number.isNaN)).toBe(true);
    expect(await measure({ journalPath, margin: 9, statistics: "keep" }, parts)).toEqual(first);
  });

  test("refuses rows of another measurement, and other files, and leaves them", async () => {
    const journalPath = join(folder, "other.json");
    await measure({ journalPath, points: 2 });
    const before = await readFile(journalPath, "utf8");
    await expect(measure({ journalPath, points: 3 })).rejects.toThrow(MismatchError);
    await expect(measure({ journalPath, points: 3 })).rejects.toThrow(/"points" is 2 there and 3 here/);
    await expect(measure({ journalPath, points: 2 }, { models: spanning(a, d, c) })).rejects.toThrow(
      /"second" is/,
    );
    const others = { models: spanning(a, b, c), data: examples([6], { seed: 5 }) };
    await expect(measure({ journalPath, points: 2 }, others)).rejects.toThrow(/"data" is/);
    expect(await readFile(journalPath, "utf8")).toBe(before);
    for (const content of [
      "",
      "{}",
      '{"format":"isthmus journal","version":1,"run":{},"pieces":{"row 0":1}}',
    ]) {
      await writeFile(journalPath, content);
      await expect(measure({ journalPath, points: 2 })).rejects.toThrow(FormatError);
      expect(await readFile(journalPath, "utf8")).toBe(content);
    }
  });

  test.each([
    ["points", { points: 1 }],
    ["points", { points: 2.5 }],
    ["margin", { margin: -0.1 }],
    ["margin", { margin: Number.NaN }],
    ["batchSize", { batchSize: 0 }],
    ["statistics", { statistics: "repair" as "keep" }],
  ])("refuses %s out of range: %o", async (name, options) => {
    await expect(measure(options)).rejects.toThrow(`Cannot measure a plane as "${name}" must be`);
  });

  test("refuses networks that do not fit", async () => {
    const other = randomNetwork(smallCnn(), 1);
    await expect(measure({}, { models: spanning(a, other, c) })).rejects.toThrow(MismatchError);
    await expect(measure({}, { placed: [label(other)] })).rejects.toThrow(MismatchError);
    await expect(measure({}, { models: spanning(a, a, c) })).rejects.toThrow(/must not lie on a line/);
    const weights = await bindWeights(mlp, a);
    weights.set("l2.bias", { dtype: "f32", shape: [4], data: new Float32Array(4).fill(Number.NaN) });
    const broken = createCheckpoint(weights, {}, "broken");
    await expect(measure({}, { models: spanning(broken, b, c) })).rejects.toThrow(/"broken".*must be finite/);
  });
});
