import { createCheckpoint, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, exposeValues, type Graph, randomWeights } from "@isthmus/graph";
import { type RecalibrateOptions, recalibrateBatchNorm } from "@isthmus/statistics";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { runGraph } from "../../../test/helpers/run-graph.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 41;
const EPSILON = 1e-3;

type Norm = (b: GraphBuilder, x: string, name: string, channels: number) => string;

const weightsOf = (b: GraphBuilder, name: string, channels: number) =>
  ["scale", "bias", "mean", "var"].map((part, i) =>
    b.weight(`${name}.${part}`, [channels], i < 2 ? "parameter" : "statistic"),
  );

const batchNorm: Norm = (b, x, name, channels) =>
  b.op("BatchNormalization", [x, ...weightsOf(b, name, channels)], { epsilon: EPSILON });

/** A norm by the statistics of the batch it is given, written out. */
const byBatch =
  (axes: readonly number[]): Norm =>
  (b, x, name, channels) => {
    const shape = [channels, ...axes.slice(1).map(() => 1)];
    const [scale = "", bias = ""] = weightsOf(b, name, channels)
      .slice(0, 2)
      .map((part) => b.reshape(part, ...shape));
    const mean = (value: string) => b.op("ReduceMean", [value], { axes, keepdims: 1 });
    const centred = b.op("Sub", [x, mean(x)]);
    const variance = mean(b.op("Mul", [centred, centred]));
    const deviation = b.op("Sqrt", [b.op("Add", [variance, b.constant([EPSILON], [1])])]);
    return b.op("Add", [b.op("Mul", [b.op("Div", [centred, deviation]), scale]), bias]);
  };

/**
 * A norm right at the input, a residual connection across two norms, two norms in parallel, a shape that is computed
 * before norms and used behind them, and a norm of vectors.
 */
function network(image: Norm = batchNorm, vector: Norm = batchNorm): Graph {
  const b = new GraphBuilder();
  const x = image(b, b.input("x", [2, 5, 5]), "n0", 2);
  const stem = b.op("Relu", [image(b, b.conv(x, "c1", [2, 4]), "n1", 4)]);
  const batch = b.slice(b.op("Shape", [stem]), 0, [0, 1]);
  const inner = b.op("Relu", [image(b, b.conv(stem, "c2", [4, 4]), "n2", 4)]);
  const long = image(b, b.conv(inner, "c3", [4, 4]), "n3", 4);
  const short = image(b, b.conv(stem, "c4", [4, 4]), "n4", 4);
  const joined = b.op("Add", [b.op("Add", [long, short]), stem]);
  const shape = b.op("Concat", [batch, b.ints(-1)], { axis: 0 });
  const hidden = vector(b, b.linear(b.op("Reshape", [joined, shape]), "l1", 100, 6), "n5", 6);
  const again = b.op("Reshape", [b.op("Relu", [hidden]), shape]);
  return b.output(b.linear(again, "l2", 6, 3)).build("network");
}

/** Examples far from centred, so that a variance about 0 would lose digits. */
const examples = (size = EXAMPLES): DataSet =>
  randomExamples([2, 5, 5], { size, seed: 9, mean: 100, name: "far" });

const graph = network();
const before = randomWeights(graph, 2);
const data = examples();

const recalibrate = async (options: RecalibrateOptions = {}, own = { graph, engine, weights: before }) => {
  const network = createCheckpoint(own.weights);
  return bindWeights(own.graph, await recalibrateBatchNorm(own, network, data, { threads: 1, ...options }));
};

const run = (own: Graph, weights: ReadonlyMap<string, Tensor>) =>
  runGraph(own, new Map(weights).set("x", data.read(0, data.size).inputs), { threads: 1 });

/** Mean and variance of each channel, in f64, by two plain passes. */
function plainStatistics({ data: values, shape }: Tensor): { mean: number[]; variance: number[] } {
  const [size = 0, channels = 0] = shape;
  const plane = values.length / (size * channels);
  const columns = Array.from({ length: channels }, (_, c) =>
    [...(values as Float32Array)].filter((_, i) => Math.floor(i / plane) % channels === c),
  );
  const mean = columns.map((column) => column.reduce((sum, v) => sum + v, 0) / column.length);
  const variance = columns.map(
    (column, c) => column.reduce((sum, v) => sum + (v - mean[c]!) ** 2, 0) / column.length,
  );
  return { mean, variance };
}

const numbers = (weights: ReadonlyMap<string, Tensor>, name: string): number[] =>
  Array.from(weights.get(name)?.data ?? [], Number);

const statistics = [...graph.weights].flatMap(([name, { role }]) => (role === "statistic" ? [name] : []));

/** Largest difference of any statistic, relative to one deviation for means and to itself for variances. */
function difference(a: ReadonlyMap<string, Tensor>, b: ReadonlyMap<string, Tensor>): number {
  let largest = 0;
  for (const name of statistics) {
    const variance = b.get(name.replace(/mean$/, "var"))?.data as Float32Array;
    a.get(name)?.data.forEach((value: number | bigint, c: number) => {
      const scale = name.endsWith("mean") ? Math.sqrt(variance[c]!) : variance[c]!;
      largest = Math.max(largest, Math.abs(Number(value) - Number(b.get(name)?.data[c])) / scale);
    });
  }
  return largest;
}

// Activations are f32 of up to 100: their rounding is 1e-5 of a deviation, before anything is summed.
const TOLERANCE = 1e-4;

describe("recalibrateBatchNorm()", () => {
  test("gives every norm the mean and variance of what it is fed, all others being recalibrated", async () => {
    const weights = await recalibrate();
    const norms = graph.nodes.filter(({ op }) => op === "BatchNormalization");
    const fed = norms.map(({ inputs: [x = ""] }) => x).filter((x) => x !== "x");
    const values = new Map(await run(exposeValues(graph, fed), weights));
    values.set("x", data.read(0, data.size).inputs);
    for (const { inputs } of norms) {
      const [x = "", , , mean = "", variance = ""] = inputs;
      const plain = plainStatistics(values.get(x) as Tensor);
      weights.get(mean)?.data.forEach((value: number | bigint, c: number) => {
        const deviation = Math.sqrt(plain.variance[c]!);
        expect(Math.abs(Number(value) - plain.mean[c]!) / deviation).toBeLessThan(TOLERANCE);
        const relative = Number(weights.get(variance)?.data[c]) / plain.variance[c]! - 1;
        expect(Math.abs(relative)).toBeLessThan(TOLERANCE);
      });
    }
  });

  test("is exact for a norm right at the input", async () => {
    const weights = await recalibrate();
    const plain = plainStatistics(data.read(0, data.size).inputs);
    expect(numbers(weights, "n0.mean")).toEqual(plain.mean.map(Math.fround));
    expect(numbers(weights, "n0.var")).toEqual(plain.variance.map((value) => expect.closeTo(value, 6)));
  });

  test("makes a network compute what it computes with the statistics of one batch of all examples", async () => {
    const recalibrated = await run(graph, await recalibrate());
    const reference = network(byBatch([0, 2, 3]), byBatch([0]));
    const expected = await run(reference, before);
    const logits = (outputs: Map<string, Tensor>) => [...outputs.values()].map(({ data: own }) => own);
    const [got, want] = [logits(recalibrated)[0] as Float32Array, logits(expected)[0] as Float32Array];
    expect(want.length).toBe(EXAMPLES * 3);
    expect([...got]).toEqual([...want].map((value) => expect.closeTo(value, 3)));
    const stale = logits(await run(graph, before))[0] as Float32Array;
    expect(Math.max(...stale.map((value, i) => Math.abs(value - want[i]!)))).toBeGreaterThan(0.1);
  });

  test("changes statistics only, and not those it was given", async () => {
    const copy = structuredClone(before);
    const weights = await recalibrate();
    expect(before).toEqual(copy);
    expect([...weights.keys()]).toEqual([...before.keys()]);
    for (const [name, tensor] of weights) {
      expect(tensor.shape).toEqual(before.get(name)?.shape);
      if (statistics.includes(name)) expect(tensor.data).not.toEqual(before.get(name)?.data);
      else expect(tensor).toEqual(before.get(name));
    }
  });

  test.each([1, 10, 41, 500])("gives the same in batches of %d", async (batchSize) => {
    expect(difference(await recalibrate({ batchSize }), await recalibrate())).toBeLessThan(TOLERANCE);
  });

  test.each([0, 40_000, 1e9])("gives the same with %d bytes of memory", async (maxCacheBytes) => {
    const weights = await recalibrate({ batchSize: 10, maxCacheBytes });
    expect(difference(weights, await recalibrate({ batchSize: 10 }))).toBeLessThan(TOLERANCE);
  });

  test("gives the same bits again", async () => {
    expect(await recalibrate({ batchSize: 10 })).toEqual(await recalibrate({ batchSize: 10 }));
  });

  test("does not depend on the statistics it replaces", async () => {
    const changed = new Map(before);
    for (const name of statistics) {
      const { shape } = before.get(name)!;
      changed.set(name, { dtype: "f32", shape, data: new Float32Array(shape[0]!).fill(7) });
    }
    expect(await recalibrate({}, { graph, engine, weights: changed })).toEqual(await recalibrate());
  });

  test("gives a channel that never changes a variance of 0", async () => {
    const silent = new Map(before);
    for (const part of ["weight", "bias"]) {
      const tensor = before.get(`c2.${part}`)!;
      silent.set(`c2.${part}`, { ...tensor, data: new Float32Array(tensor.data.length) });
    }
    const weights = await recalibrate({}, { graph, engine, weights: silent });
    expect(numbers(weights, "n2.var")).toEqual([0, 0, 0, 0]);
    expect(numbers(weights, "n2.mean")).toEqual([0, 0, 0, 0]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 3e38])(
    "refuses activations that are not finite: weight %d",
    async (bad) => {
      const broken = new Map(before);
      const tensor = before.get("c1.weight")!;
      broken.set("c1.weight", { ...tensor, data: new Float32Array(tensor.data.length).fill(bad) });
      const run = recalibrate({}, { graph, engine, weights: broken });
      await expect(run).rejects.toMatchObject({ _tag: "InputError", input: "n1.mean" });
    },
  );

  test("returns the weights of a network without batch norms as they are", async () => {
    const b = new GraphBuilder();
    const plain = b.output(b.conv(b.input("x", [2, 5, 5]), "c", [2, 3])).build();
    const weights = randomWeights(plain, 1);
    expect(await recalibrate({}, { graph: plain, engine, weights })).toEqual(weights);
  });

  test("refuses examples of another shape, none at all, and batches of none", async () => {
    const wrong = createDataSet(
      { dtype: "f32", shape: [1, 3], data: new Float32Array(3) },
      new Int32Array(1),
    );
    const own = { graph, engine, weights: before };
    await expect(recalibrateBatchNorm(own, createCheckpoint(own.weights), wrong)).rejects.toThrow(
      /they are f32 \[3\]/,
    );
    await expect(
      recalibrateBatchNorm(own, createCheckpoint(own.weights), { ...data, size: 0 }),
    ).rejects.toThrow(/it is empty/);
    for (const batchSize of [0, -1, 0.5, Number.NaN]) {
      await expect(recalibrate({ batchSize })).rejects.toThrow(RangeError);
    }
    await expect(recalibrate({ maxCacheBytes: Number.NaN })).rejects.toThrow(RangeError);
  });

  test("stops when it is told to", async () => {
    await expect(recalibrate({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
  });
});
