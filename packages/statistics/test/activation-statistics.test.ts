import { createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, randomWeights } from "@isthmus/graph";
import { activationStatistics, pairStatistics, type UnitView } from "@isthmus/statistics";
import { describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { smallCnn } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const graph = smallCnn();
const [a, b] = [randomWeights(graph, 1), randomWeights(graph, 2)];

const examples = (size: number): DataSet =>
  randomExamples([2, 4, 4], { size, seed: 3, mean: 1, name: "small" });

const data = examples(23);
const outputOf = (op: string, place = 0) =>
  graph.nodes.filter((node) => node.op === op)[place]?.outputs[0] ?? "";
const views: readonly UnitView[] = [
  { value: "x", axes: [1] },
  { value: outputOf("Conv"), axes: [1] },
  { value: outputOf("Conv", 1), axes: [-3, -1] },
  { value: outputOf("Relu", 2), axes: [-1] },
  { value: outputOf("MaxPool"), axes: [1, 3], positions: Int32Array.of(0, 3, 5, 8, 2, 1), slots: 2 },
];

async function run(weights: ReadonlyMap<string, Tensor>, value: string): Promise<Tensor> {
  const feeds = new Map(weights).set("x", data.read(0, data.size).inputs);
  const outputs =
    value === "x" ? feeds : await runGraph({ ...graph, outputs: [{ name: value }] }, feeds, { threads: 1 });
  return outputs.get(value) as Tensor;
}

/** Samples of each unit of a view, gathered element by element. */
function samplesOf(tensor: Tensor, view: UnitView): number[][] {
  const { shape } = tensor;
  const axes = view.axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const samples = new Map<number, number[]>();
  Array.from(tensor.data as Float32Array).forEach((x, offset) => {
    let rest = offset;
    const index = shape.toReversed().map((extent) => {
      const at = rest % extent;
      rest = (rest - at) / extent;
      return at;
    });
    index.reverse();
    const position = axes.reduce((at, axis) => at * (shape[axis] ?? 1) + (index[axis] ?? 0), 0);
    samples.set(position, [...(samples.get(position) ?? []), x]);
  });
  const { positions, slots = 1 } = view;
  if (positions === undefined) return [...samples].sort(([p], [q]) => p - q).map(([, list]) => list);
  return Array.from({ length: positions.length / slots }, (_, unit) =>
    Array.from(positions.subarray(unit * slots, (unit + 1) * slots)).flatMap((p) => samples.get(p) ?? []),
  );
}

const meanOf = (samples: readonly number[]) => samples.reduce((sum, x) => sum + x, 0) / samples.length;

function covarianceOf(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [meanOf(x), meanOf(y)];
  return meanOf(x.map((value, i) => (value - mx) * ((y[i] ?? 0) - my)));
}

/** Values come from the engine in f32, whose rounding may depend on the batch. */
const close = (got: ArrayLike<number>, wanted: readonly number[]) => {
  const scale = 1 + Math.max(...wanted.map(Math.abs));
  wanted.forEach((value, i) => {
    expect(Math.abs((got[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(2e-6 * scale);
  });
  expect(got.length).toBe(wanted.length);
};

describe("activationStatistics()", () => {
  test.each([1, 7, 23, 100])("equals two plain passes in batches of %i", async (batchSize) => {
    const results = await activationStatistics({ graph, engine }, createCheckpoint(a), data, {
      views,
      batchSize,
    });
    for (const [i, view] of views.entries()) {
      const samples = samplesOf(await run(a, view.value), view);
      close(results[i]?.mean ?? [], samples.map(meanOf));
      close(
        results[i]?.variance ?? [],
        samples.map((list) => covarianceOf(list, list)),
      );
      expect(results[i]?.count).toBe(samples[0]?.length);
    }
  });

  test("does not depend on the batch size where values do not", async () => {
    const own = views.slice(0, 1);
    const [one] = await activationStatistics({ graph, engine }, createCheckpoint(a), data, {
      views: own,
      batchSize: 1,
    });
    const [all] = await activationStatistics({ graph, engine }, createCheckpoint(a), data, {
      views: own,
      batchSize: 23,
    });
    one?.variance.forEach((variance, unit) => {
      expect(Math.abs(variance - (all?.variance[unit] ?? 0))).toBeLessThan(1e-12);
    });
  });

  test("refuses activations that are not finite, unknown values and axes", async () => {
    const broken = new Map(a).set("c0.bias", {
      dtype: "f32",
      shape: [6],
      data: Float32Array.of(Number.NaN, 0, 0, 0, 0, 0),
    });
    const measure = (own: readonly UnitView[], weights = a) =>
      activationStatistics({ graph, engine }, createCheckpoint(weights), data, { views: own });
    await expect(measure(views.slice(1, 2), broken)).rejects.toThrow(
      /must be finite: the variance of unit 0 is NaN/,
    );
    await expect(measure([{ value: "nope", axes: [1] }])).rejects.toThrow(RangeError);
    await expect(measure([{ value: "x", axes: [4] }])).rejects.toThrow(/axes must be ascending/);
    await expect(measure([{ value: "x", axes: [1], positions: Int32Array.of(2) }])).rejects.toThrow(
      /below 2/,
    );
  });

  test("tells progress and stops when asked to", async () => {
    const seen: number[] = [];
    const controller = new AbortController();
    const options = {
      batchSize: 5,
      signal: controller.signal,
      onProgress: ({ completed, total }: { completed: number; total: number }) => {
        seen.push(completed, total);
        if (completed >= 10) controller.abort();
      },
    };
    const run = activationStatistics({ graph, engine }, createCheckpoint(a), data, { views, ...options });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(seen).toEqual([5, 23, 10, 23]);
  });
});

describe("pairStatistics()", () => {
  test.each([
    ["in batches", 4],
    ["all at once", 100],
  ])("equals two plain passes for all pairs %s", async (_, batchSize) => {
    const results = await pairStatistics(
      { graph, engine },
      [createCheckpoint(a), createCheckpoint(b)],
      data,
      { views, batchSize },
    );
    for (const [i, view] of views.entries()) {
      const [x, y] = [samplesOf(await run(a, view.value), view), samplesOf(await run(b, view.value), view)];
      close(
        results[i]?.covariance ?? [],
        x.flatMap((left) => y.map((right) => covarianceOf(left, right))),
      );
      close(results[i]?.b.mean ?? [], y.map(meanOf));
    }
  });

  test("adds up more samples than one product takes", async () => {
    const many = examples(300);
    const [view] = views;
    const [result] = await pairStatistics(
      { graph, engine },
      [createCheckpoint(a), createCheckpoint(b)],
      many,
      { views: view === undefined ? [] : [view], batchSize: 300 },
    );
    const { data: values } = many.read(0, 300).inputs;
    const samples = [0, 1].map((unit) =>
      Array.from(values as Float32Array).filter((_, i) => Math.floor(i / 16) % 2 === unit),
    );
    expect(result?.a.count).toBe(4800);
    close(
      result?.covariance ?? [],
      samples.flatMap((x) => samples.map((y) => covarianceOf(x, y))),
    );
  });

  test("gives the diagonal for equal pairs", async () => {
    const all = await pairStatistics({ graph, engine }, [createCheckpoint(a), createCheckpoint(b)], data, {
      views,
      batchSize: 8,
    });
    const equal = await pairStatistics({ graph, engine }, [createCheckpoint(a), createCheckpoint(b)], data, {
      views,
      batchSize: 8,
      pairs: "equal",
    });
    equal.forEach(({ covariance }, view) => {
      const units = covariance.length;
      covariance.forEach((value, unit) => {
        // Of all pairs, products are added up in f32 first.
        const other = all[view]?.covariance[unit * units + unit] ?? Number.NaN;
        expect(Math.abs(value - other)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(value)));
      });
    });
  });
});
