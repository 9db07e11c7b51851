import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type MeasurePathOptions,
  measureCurve,
  measurePath,
  type TrainCurveOptions,
  type TrainedCurve,
  trainCurve,
} from "@isthmus/connectivity";
import { type Checkpoint, createCheckpoint, MismatchError } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, createEvaluator, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { CURVE_KINDS, createCurve, createPath, innerProducts, lerp } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { train } from "@isthmus/training";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkpointNumbers } from "../../../test/helpers/checkpoint-numbers.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const engine = createOnnxRuntimeEngine();
const data = stripes(60);

function network(width = 8, norm = false): Graph {
  const b = new GraphBuilder(17);
  let x = b.linear(b.reshape(b.input("x", [1, 4, 4]), 0, 16), "l0", 16, width);
  if (norm) x = batchNorm(b, x, "n0", width);
  return b.output(b.linear(b.op("Relu", [x]), "l1", width, 3)).build("small");
}

const graph = network();

async function trained(seed: number, architecture = graph): Promise<Checkpoint> {
  const weights = createCheckpoint(randomWeights(architecture, seed));
  const result = await train({ graph: architecture, engine }, weights, data, {
    ...options,
    seed,
    epochs: 20,
  });
  return createCheckpoint(await bindWeights(architecture, result.weights), {}, `network ${seed}`);
}

const options: TrainCurveOptions = {
  seed: 1,
  epochs: 3,
  batch: 10,
  threads: 1,
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-3 },
  schedule: { kind: "cosine", learningRate: 0.1 },
};
const [a, b] = [await trained(1), await trained(2)];

const run = (
  more: Partial<TrainCurveOptions> = {},
  ends: { a?: Checkpoint; b?: Checkpoint; data?: DataSet } = {},
) => trainCurve({ graph, engine }, [ends.a ?? a, ends.b ?? b], ends.data ?? data, { ...options, ...more });

const parts = { graph, engine, data };
const measure = (curve: TrainedCurve, more: MeasurePathOptions = {}) =>
  measureCurve(parts, curve, parts.data, { points: 9, ...more });

let folder: string;
let statePath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-curve-"));
  statePath = join(folder, "curve.state.safetensors");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("trainCurve()", () => {
  it.each([
    ["bezier", 1],
    ["bezier", 2],
    ["chain", 1],
    ["chain", 3],
  ] as const)(
    "trainCurve() of kind %s with %i bends lowers the worst loss on the way",
    async (curve, bends) => {
      const result = await run({ curve, bends, epochs: 20 });
      expect(result.points).toHaveLength(bends + 2);
      for (const [k, end] of [a, b].entries()) {
        expect(await checkpointNumbers(k === 0 ? result.points[0] : result.points.at(-1)!)).toEqual(
          await checkpointNumbers(end),
        );
        expect(await checkpointNumbers(result.path(k))).toEqual(await checkpointNumbers(end));
      }
      const { path, line, epochs } = await measure(result);
      expect(line.loss.max).toBeGreaterThan(2 * Math.max(line.points[0]!.loss, line.points.at(-1)!.loss));
      expect(path.loss.max).toBeLessThan(line.loss.max / 2);
      expect(path.length).toBeGreaterThan(line.length);
      expect(epochs).toHaveLength(20);
    },
  );

  it("trainCurve() starts on the line, and stays on it by steps that are too small to move", async () => {
    const still = { schedule: { kind: "constant", learningRate: 1e-30 } } as const;
    for (const curve of CURVE_KINDS) {
      const { points } = await run({ ...still, curve, bends: 2, epochs: 1 });
      expect(await checkpointNumbers(points[1])).toEqual(await checkpointNumbers(lerp(a, b, 1 / 3)));
      expect(await checkpointNumbers(points[2]!)).toEqual(await checkpointNumbers(lerp(a, b, 2 / 3)));
    }
  });

  it.each([4, 6, 12])("trainCurve() aborted after %i steps goes on to the same bytes", async (steps) => {
    const whole = await run({ bends: 2 });
    const controller = new AbortController();
    const stopped = run({
      bends: 2,
      statePath,
      signal: controller.signal,
      onProgress: ({ step }) => step === steps && controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    const resumed = await run({ bends: 2, statePath, resume: true });
    expect(resumed.result.resumedAt).toBe(steps);
    for (const [k, point] of whole.points.entries()) {
      expect(await checkpointNumbers(resumed.points[k]!)).toEqual(await checkpointNumbers(point));
    }
    expect(JSON.stringify(await measure(resumed))).toBe(JSON.stringify(await measure(whole)));
  });

  it("trainCurve() refuses the state of another curve, and names what differs", async () => {
    await run({ statePath, epochs: 1 });
    const resume = (more: Partial<TrainCurveOptions>, ends = {}) =>
      run({ statePath, resume: true, epochs: 1, ...more }, ends);
    await expect(resume({ curve: "chain" })).rejects.toThrow(
      /"blend.description.curve" is "bezier" there and "chain" here/,
    );
    await expect(resume({}, { a: b, b: a })).rejects.toThrow(/"blend.description.ends.0" is/);
    await expect(resume({ bends: 2 })).rejects.toThrow(MismatchError);
    await expect(run({ statePath, epochs: 1 })).rejects.toThrow(/must not replace an earlier one/);
  });

  it("trainCurve() refuses what is no curve between networks of the graph", async () => {
    await expect(run({ bends: 0 })).rejects.toThrow(/"bends" must be a whole number from 1 to 500: it is 0/);
    await expect(run({ bends: 1.5 })).rejects.toThrow(RangeError);
    await expect(run({ curve: "spline" as "chain" })).rejects.toThrow(/one of bezier, chain: it is "spline"/);
    const other = createCheckpoint(randomWeights(network(9), 1));
    await expect(run({}, { b: other })).rejects.toThrow(MismatchError);
    await expect(run({ bend: 2 } as object)).rejects.toThrow(/no option "bend"/);
  });
});

describe("measurePath()", () => {
  it("measurePath() has at every place what evaluate() says of the network there", async () => {
    const path = createCurve("chain", [a, createCheckpoint(randomWeights(graph, 7)), b]);
    const { points, length, loss, error } = await measurePath(parts, path, parts.data, { points: 5 });
    const evaluator = await createEvaluator({ graph, engine }, data);
    let sum = 0;
    for (const [k, point] of points.entries()) {
      const t = k / 4;
      const expected = await evaluator.evaluate(path(t));
      expect(point).toMatchObject({ t, loss: expected.loss, error: expected.error });
      const [[square]] = (await innerProducts([path(Math.max(0, t - 0.25)), path(t)], [[-1, 1]])) as [
        [number],
      ];
      sum += Math.sqrt(square);
      expect(point.length).toBeCloseTo(sum, 10);
    }
    await evaluator.release();
    expect(length).toBe(points[4]!.length);
    const losses = points.map((point) => point.loss);
    expect(loss.max).toBe(Math.max(...losses));
    expect(loss.min).toBe(Math.min(...losses));
    expect(points[losses.indexOf(loss.max)]!.t).toBe(loss.at);
    expect(loss.mean).toBeCloseTo(losses.reduce((x, y) => x + y) / 5, 12);
    // By the trapezoids over the length.
    const integral = points.slice(1).reduce((total, { length: end, error: high }, k) => {
      return total + ((high + points[k]!.error) / 2) * (end - points[k]!.length);
    }, 0);
    expect(error.lengthMean).toBeCloseTo(integral / length, 12);
  });

  it("measurePath() of a network to itself has no length", async () => {
    const { length, loss } = await measurePath(parts, createPath("linear", a, a), parts.data, { points: 3 });
    expect(length).toBe(0);
    expect([loss.min, loss.mean, loss.lengthMean]).toEqual([loss.max, loss.max, loss.max]);
  });

  it("measurePath() recalibrates between the ends unless it is told to keep statistics", async () => {
    const normed = network(8, true);
    const [from, to] = [await trained(1, normed), await trained(2, normed)];
    const path = createPath("linear", from, to);
    const evaluated = { graph: normed, engine, data, path };
    const [fresh, kept] = [
      await measurePath(evaluated, evaluated.path, evaluated.data, { points: 3 }),
      await measurePath(evaluated, evaluated.path, evaluated.data, { points: 3, statistics: "keep" }),
    ];
    const evaluator = await createEvaluator({ graph: normed, engine }, data);
    const weights = await bindWeights(normed, path(0.5));
    const recalibrated = await recalibrateBatchNorm(
      { graph: normed, engine },
      createCheckpoint(weights),
      data,
    );
    expect(fresh.points[1]!.loss).toBe((await evaluator.evaluate(recalibrated)).loss);
    expect(kept.points[1]!.loss).toBe((await evaluator.evaluate(createCheckpoint(weights))).loss);
    await evaluator.release();
    expect(fresh.points[0]).toEqual(kept.points[0]);
    expect(fresh.points[1]!.loss).not.toBe(kept.points[1]!.loss);

    const curve = await trainCurve({ graph: normed, engine }, [from, to], data, { ...options, epochs: 20 });
    const { path: bent, line } = await measureCurve({ graph: normed, engine }, curve, data, { points: 9 });
    expect(bent.loss.max).toBeLessThan(line.loss.max);
  });

  it("measurePath() stops when it is told to", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const stopped = measurePath(parts, createPath("linear", a, b), parts.data, {
      points: 5,
      signal: controller.signal,
      onProgress: ({ completed }) => seen.push(completed) === 2 && controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(seen).toEqual([1, 2]);
  });

  it.each([
    ["points", { points: 1 }],
    ["batchSize", { batchSize: 0 }],
    ["statistics", { statistics: "repair" as "keep" }],
  ])("measurePath() refuses %s out of range: %o", async (name, more) => {
    const path = createPath("linear", a, b);
    await expect(measurePath(parts, path, parts.data, more)).rejects.toThrow(
      `Cannot measure a path as "${name}" must be`,
    );
  });
});
