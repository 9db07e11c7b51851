import {
  type BarrierProgress,
  barrierValues,
  type MeasureBarrierOptions,
  measureBarrier,
} from "@isthmus/barrier";
import { type Checkpoint, convertData, createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { lerp, slerp } from "@isthmus/interpolation";
import { createRepairer, recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
import { describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 60;

function mlp(norm = false): Graph {
  const b = new GraphBuilder();
  let x = b.linear(b.input("x", [6]), "l0", 6, 12);
  if (norm) x = batchNorm(b, x, "norm", 12);
  const y = b.op("Relu", [b.linear(b.op("Relu", [x]), "l1", 12, 12)]);
  return b.output(b.linear(y, "l2", 12, 3)).build("mlp");
}

const graph = mlp();
const { spec } = await discoverSymmetries({ graph, engine });

/** Weights large enough for clear answers. */
function network(seed: number, architecture = graph): Checkpoint {
  const weights = [...randomWeights(architecture, seed)].map(([name, tensor]): [string, Tensor] => [
    name,
    { ...tensor, data: (tensor.data as Float32Array).map((value) => 2 * value) },
  ]);
  return createCheckpoint(new Map(weights), {}, `network ${seed}`);
}

/** Examples that network 1 labelled. */
async function examples(seed = 1, size = EXAMPLES): Promise<DataSet> {
  const random = createRandom(seed, "examples");
  const data = Float32Array.from({ length: size * 6 }, () => random.normal());
  const inputs = { dtype: "f32" as const, shape: [size, 6], data };
  const session = await engine.load(graph);
  const outputs = await session.run((await bindWeights(graph, network(1))).set("x", inputs));
  await session.release();
  const [logits] = [...outputs.values()].map((tensor) => tensor.data as Float32Array);
  const labels = Int32Array.from({ length: size }, (_, i) => {
    const row = [...(logits as Float32Array).subarray(3 * i, 3 * i + 3)];
    return row.indexOf(Math.max(...row));
  });
  return createDataSet(inputs, labels, { name: `random ${seed}` });
}

const data = await examples();
const a = network(1);
const shuffled = permute(randomAlignment(spec, 7), a, spec);
/** Nearly a permuted copy of A, so that there is a barrier between them. */
const b = createCheckpoint(await bindWeights(graph, lerp(shuffled, network(2), 0.1)), {}, "network 2");

const measure = (options: MeasureBarrierOptions = {}, ends: { a?: Checkpoint; b?: Checkpoint } = {}) =>
  measureBarrier({ graph, engine }, [ends.a ?? a, ends.b ?? b], data, { points: 5, ...options });

const evaluate = (checkpoint: Checkpoint, architecture = graph, weights?: ReadonlyMap<string, Tensor>) =>
  evaluateNetwork({ graph: architecture, data }, weights ?? checkpoint);

const losses = ({ points }: { points: readonly { loss: number }[] }) => points.map(({ loss }) => loss);
const places = ({ points }: { points: readonly { t: number }[] }) => points.map(({ t }) => t);

describe("measureBarrier()", () => {
  test("of a network with itself is 0", async () => {
    for (const path of ["linear", "spherical"] as const) {
      const result = await measure({ points: 7, path, bootstrap: 20 }, { b: a });
      expect(new Set(losses(result)).size).toBe(1);
      const none = { chord: 0, meanOfEndpoints: 0, maxEndpoint: 0, midpoint: 0, at: 0 };
      expect(result.barrier).toEqual({ loss: none, error: none });
      expect(result.interval).toMatchObject({ loss: { low: 0, high: 0 }, error: { low: 0, high: 0 } });
    }
  });

  test("has at every place what evaluate() says of the network there", async () => {
    const result = await measure();
    expect(places(result)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    for (const { t, loss, error } of result.points) {
      const expected = await evaluate(t === 0 ? a : t === 1 ? b : lerp(a, b, t));
      expect([loss, error]).toEqual([expected.loss, expected.error]);
    }
    expect(result.barrier.loss).toEqual(barrierValues(places(result), losses(result)));
    expect(result).toMatchObject({
      kind: "barrier",
      path: "linear",
      statistics: "keep",
      examples: EXAMPLES,
      data: "random 1",
      a: "network 1",
      b: "network 2",
      engine: "onnxruntime",
    });
    expect(result.interval).toBeUndefined();
  });

  test("follows the arc if asked", async () => {
    const result = await measure({ points: 3, path: "spherical" });
    expect(result.points[1]?.loss).toBe((await evaluate(slerp(a, b, 0.5))).loss);
    expect(result.path).toBe("spherical");
  });

  test("is the same from the other end", async () => {
    const back = await measure({}, { a: b, b: a });
    const forth = await measure();
    expect([...losses(back)].reverse()).toEqual(losses(forth).map((loss) => expect.closeTo(loss, 6)));
    expect(back.barrier.loss.chord).toBeCloseTo(forth.barrier.loss.chord, 6);
  });

  test("refines where the curve is highest above its chord", async () => {
    const coarse = await measure();
    const fine = await measure({ refine: 6 });
    const { at } = coarse.barrier.loss;
    expect(at).toBeGreaterThan(0);
    expect(places(fine)).toEqual([...places(fine)].sort((s, t) => s - t));
    const added = places(fine).filter((t) => !places(coarse).includes(t));
    expect(added.length).toBe(6);
    for (const t of added) expect(Math.abs(t - at)).toBeLessThan(0.25);
    expect(fine.barrier.loss.chord).toBeGreaterThanOrEqual(coarse.barrier.loss.chord);
    const closest = Math.min(...added.map((t) => Math.abs(t - fine.barrier.loss.at)).filter((d) => d > 0));
    expect(closest).toBeLessThan(0.1);
  });

  test("stops refining where places lie close together", async () => {
    const result = await measure({ points: 3, refine: 100 }, { b: a });
    expect(result.points.length).toBeLessThan(20);
  });

  test("tells how far it is", async () => {
    const seen: BarrierProgress[] = [];
    const result = await measure({ refine: 1, onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ completed, total }) => [completed, total])).toEqual(
      [1, 2, 3, 4, 5, 6].map((done) => [done, 6]),
    );
    expect(seen.slice(0, 5).map(({ point }) => point.t)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    for (const { point } of seen) expect(result.points).toContainEqual(point);
  });

  test("gives intervals around the barriers, the same for the same seed", async () => {
    const options = { bootstrap: 200, level: 0.9, seed: 4 };
    const first = await measure(options);
    const { loss, error } = first.interval ?? {};
    expect(first.interval).toMatchObject({ level: 0.9, resamples: 200, seed: 4 });
    expect(loss?.low).toBeLessThan(first.barrier.loss.chord);
    expect(loss?.high).toBeGreaterThan(first.barrier.loss.chord);
    expect(error?.low).toBeLessThanOrEqual(error?.high ?? 0);
    expect((await measure(options)).interval).toEqual(first.interval);
    expect((await measure({ ...options, seed: 5 })).interval).not.toEqual(first.interval);
  });

  test("is about 0 between a network and its permuted copy once that is aligned", async () => {
    const naive = await measure({}, { b: shuffled });
    expect(naive.barrier.loss.chord).toBeGreaterThan(0.01);
    const { alignment } = await matchWeights({ spec, graph: undefined, engine }, [a, shuffled], { seed: 1 });
    const aligned = await measure({}, { b: permute(alignment, shuffled, spec) });
    expect(aligned.barrier.loss.chord).toBe(0);
    // The copy computes the same function, up to the order of additions.
    expect(naive.points.at(-1)?.loss).toBeCloseTo(naive.points[0]?.loss ?? 0, 5);
  });

  test("measures checkpoints of any float type in the graph's", async () => {
    const half = createCheckpoint(
      new Map(
        [...(await bindWeights(graph, a))].map(([name, { shape, data: values }]) => [
          name,
          { dtype: "f16" as const, shape, data: convertData(values, "f32", "f16") },
        ]),
      ),
    );
    const result = await measure({ points: 3 }, { a: half });
    expect(result.points[0]?.loss).toBe((await evaluate(half)).loss);
    const widened = createCheckpoint(await bindWeights(graph, half));
    expect(losses(result)).toEqual(losses(await measure({ points: 3 }, { a: widened })));
  });

  test("does not need tensors that the graph does not use, nor reads them", async () => {
    const extra = { dtype: "i64" as const, shape: [], data: BigInt64Array.of(3n) };
    const larger = createCheckpoint(new Map([...(await bindWeights(graph, b)), ["steps", extra]]));
    expect(losses(await measure({}, { b: larger }))).toEqual(losses(await measure()));
  });

  test("names what a checkpoint lacks", async () => {
    const { "l1.bias": _, ...rest } = Object.fromEntries(await bindWeights(graph, b));
    const run = measure({}, { b: createCheckpoint(rest, {}, "half a network") });
    await expect(run).rejects.toMatchObject({ _tag: "MismatchError", parameters: ["l1.bias"] });
  });

  test("refuses data of another shape", async () => {
    const wrong = createDataSet({ dtype: "f32", shape: [1, 5], data: new Float32Array(5) }, Int32Array.of(0));
    const run = measureBarrier({ graph, engine }, [a, b], wrong);
    await expect(run).rejects.toMatchObject({ _tag: "InputError" });
  });

  test.each<[string, MeasureBarrierOptions]>([
    ["points", { points: 1 }],
    ["points", { points: 2.5 }],
    ["points", { points: Number.NaN }],
    ["refine", { refine: -1 }],
    ["bootstrap", { bootstrap: -1 }],
    ["bootstrap", { bootstrap: 0.5 }],
    ["bootstrap", { bootstrap: 1 }],
    ["level", { level: 0 }],
    ["level", { level: 1 }],
    ["level", { level: Number.NaN }],
    ["seed", { seed: -1 }],
    ["batchSize", { batchSize: 0 }],
    ["path", { path: "curved" as "linear" }],
    ["statistics", { statistics: "mend" as "keep" }],
    ["path", { path: "spherical", statistics: "repair-closed-form" }],
  ])("refuses %s out of range: %o", async (name, options) => {
    await expect(measure(options)).rejects.toThrow(RangeError);
    await expect(measure(options)).rejects.toThrow(`Cannot measure a barrier as "${name}" must be`);
  });

  test("refuses an option that it does not know", async () => {
    await expect(measure({ point: 3 } as MeasureBarrierOptions)).rejects.toThrow(/no option "point"/);
  });

  test("stops when it is told to, half-way too", async () => {
    await expect(measure({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    const controller = new AbortController();
    let seen = 0;
    const run = measure({
      signal: controller.signal,
      onProgress() {
        if (++seen === 2) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(seen).toBe(2);
  });
});

describe("measureBarrier() with batch norms", () => {
  const normed = mlp(true);
  const ends = { a: network(1, normed), b: network(2, normed) };
  const measureNormed = (options: MeasureBarrierOptions) =>
    measureBarrier({ graph: normed, engine }, [ends.a, ends.b], data, { points: 3, ...options });

  test("measures batch norms anew unless told otherwise, and says on what", async () => {
    const result = await measureNormed({});
    expect(result).toEqual(await measureNormed({ statistics: "recalibrate" }));
    expect(result).toMatchObject({
      statistics: "recalibrate",
      statisticsData: data.name,
      statisticsExamples: data.size,
    });
    const unchanged = await measureNormed({ statistics: "keep" });
    expect(unchanged.points[1]?.loss).toBe((await evaluate(lerp(ends.a, ends.b, 0.5), normed)).loss);
    expect(unchanged).not.toHaveProperty("statisticsData");
    const plain = await measureBarrier({ graph, engine }, [network(1), b], data, { points: 3 });
    expect(plain.statistics).toBe("keep");
  });

  test("takes the first 2,500 examples to measure statistics on where none are named", async () => {
    const many = {
      ...data,
      name: "many",
      size: 3000,
      read: (begin: number, end: number) => data.read(0, end - begin),
    };
    const result = await measureBarrier({ graph: normed, engine }, [ends.a, ends.b], many, {
      points: 3,
      batchSize: 20,
    });
    expect(result).toMatchObject({ statisticsData: "many@2500", statisticsExamples: 2500 });
  });

  test("recalibrates between the ends, on the evaluated examples or on others", async () => {
    const unchanged = await measureNormed({ statistics: "keep" });
    for (const other of [undefined, await examples(8, 30)]) {
      const result = await measureNormed({ statistics: "recalibrate", statisticsData: other });
      const middle = lerp(ends.a, ends.b, 0.5);
      const corrected = await recalibrateBatchNorm({ graph: normed, engine }, middle, other ?? data);
      expect(result.points[1]?.loss).toBe((await evaluate(corrected, normed)).loss);
      expect(result.points[1]?.loss).not.toBe(unchanged.points[1]?.loss);
      expect([result.points[0], result.points[2]]).toEqual([unchanged.points[0], unchanged.points[2]]);
      expect(result.statistics).toBe("recalibrate");
    }
  });

  test.each(["repair", "repair-closed-form"] as const)(
    "gives the places between the statistics of the ends by %s",
    async (statistics) => {
      const unchanged = await measureNormed({ statistics: "keep" });
      const result = await measureNormed({ statistics });
      const networks = [ends.a, ends.b];
      const closedForm = statistics === "repair-closed-form";
      const repairer = await createRepairer({ graph: normed, engine }, networks, data, { closedForm });
      const corrected = await repairer.repair(lerp(ends.a, ends.b, 0.5), [0.5, 0.5]);
      expect(result.points[1]?.loss).toBe((await evaluate(corrected, normed)).loss);
      expect([result.points[0], result.points[2]]).toEqual([unchanged.points[0], unchanged.points[2]]);
      expect(result.statistics).toBe(statistics);
    },
  );
});
