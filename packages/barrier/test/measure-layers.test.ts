import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  alongGroups,
  type LayerCut,
  type LayersProgress,
  type LayersResult,
  type MeasureLayersOptions,
  measureBarrier,
  measureLayers,
  predictBarriers,
  predictRise,
} from "@isthmus/barrier";
import { type Checkpoint, FormatError, MismatchError, type Tensor } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, type Graph, specialize } from "@isthmus/graph";
import { lerp, mergeLayers } from "@isthmus/interpolation";
import { createRepairer, recalibrateBatchNorm } from "@isthmus/statistics";
import { attachLoss } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";
import { rankCorrelation } from "../src/layers/compare-predictions.ts";

const engine = createOnnxRuntimeEngine();

const mlp = { graph: smallMlp(), engine, data: randomExamples([6], { size: 50, classes: 4, seed: 3 }) };
const ends = { a: randomNetwork(mlp.graph, 1), b: randomNetwork(mlp.graph, 2) };
const measure = (options: MeasureLayersOptions = {}) =>
  measureLayers(mlp, [ends.a, ends.b], mlp.data, options);

async function evaluate(checkpoint: Checkpoint, evaluated: { graph: Graph; data: DataSet } = mlp) {
  const { loss, error } = await evaluateNetwork(evaluated, checkpoint);
  return { loss, error };
}

const losses = ({ points }: LayerCut) => points.map(({ loss }) => loss);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-layers-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("measureLayers()", () => {
  test("of all groups at once is what measureBarrier() says", async () => {
    const { whole, layers, cumulative, groups } = await measure({ points: 7 });
    const barrier = await measureBarrier(mlp, [ends.a, ends.b], mlp.data, { points: 7 });
    expect(whole.points).toEqual(barrier.points);
    expect(whole.barrier).toEqual(barrier.barrier);
    expect(whole.wholeEndpoints.loss).toBeCloseTo(barrier.barrier.loss.midpoint, 12);
    expect(layers.map(({ group }) => group)).toEqual(["l0", "l1", "l2"]);
    expect(groups.map(({ elements }) => elements)).toEqual([6 * 16 + 16, 16 * 12 + 12, 12 * 4 + 4]);
    for (const { steps } of cumulative) expect(steps.at(-1)?.cut.points).toEqual(whole.points);
  });

  test("has cuts whose ends are the networks, and networks between that mergeLayers() makes", async () => {
    const { layers, cumulative } = await measure({ points: 3 });
    const [a, b] = [await evaluate(ends.a), await evaluate(ends.b)];
    for (const { group, a: fromA, b: fromB } of layers) {
      expect(fromA.points[0]).toEqual({ t: 0, ...a });
      expect(fromB.points[0]).toEqual({ t: 0, ...b });
      for (const { t, loss, error } of fromA.points) {
        expect({ loss, error }).toEqual(await evaluate(mergeLayers(ends.a, ends.b, new Map([[group, t]]))));
      }
      for (const { t, loss, error } of fromB.points) {
        const shares = new Map([
          [group, 1 - t],
          ["*", 1],
        ]);
        expect({ loss, error }).toEqual(await evaluate(mergeLayers(ends.a, ends.b, shares)));
      }
    }
    const [shallow, deep] = cumulative;
    expect(shallow?.steps.map(({ added }) => added)).toEqual(["l0", "l1", "l2"]);
    expect(deep?.steps.map(({ cut }) => cut.groups)).toEqual([["l2"], ["l2", "l1"], ["l2", "l1", "l0"]]);
    // A with all but the first layer of B is B with the first layer of A.
    expect(deep?.steps[1]?.cut.points.at(-1)?.loss).toBe(layers[0]?.b.points.at(-1)?.loss);
  });

  test("says what averaging a layer costs in both networks, against the whole networks", async () => {
    const { layers } = await measure({ points: 3 });
    const [a, b] = [await evaluate(ends.a), await evaluate(ends.b)];
    for (const layer of layers) {
      const mean = (a.loss + b.loss) / 2;
      expect(layer.a.wholeEndpoints.loss).toBe((losses(layer.a)[1] ?? 0) - mean);
      expect(layer.b.wholeEndpoints.loss).toBe((losses(layer.b)[1] ?? 0) - mean);
      expect(layer.barrier.loss).toBe((layer.a.wholeEndpoints.loss + layer.b.wholeEndpoints.loss) / 2);
    }
  });

  test("is nothing between a network and itself", async () => {
    const none = { chord: 0, meanOfEndpoints: 0, maxEndpoint: 0, midpoint: 0, at: 0 };
    const same = { ...mlp, a: ends.a, b: ends.a };
    const { whole, layers, predictions, groups } = await measureLayers(same, [same.a, same.b], same.data, {
      predict: 20,
    });
    expect([whole, ...layers.flatMap(({ a, b }) => [a, b])].map(({ barrier }) => barrier.loss)).toEqual(
      Array.from({ length: 7 }, () => none),
    );
    expect(predictions?.barriers.map(({ predicted, measured }) => [predicted, measured])).toEqual(
      Array.from({ length: 4 }, () => [0, 0]),
    );
    expect(predictions?.rankCorrelation).toBeNaN();
    for (const { euclideanDistance, cosineSimilarity } of groups) {
      expect(euclideanDistance).toBe(0);
      expect(cosineSimilarity).toBeCloseTo(1, 12);
    }
  });

  test("takes groups of one's own, and orders of all kinds", async () => {
    const groups = [{ name: "hidden", patterns: ["l0", "l1.bias"] }];
    const { layers, cumulative } = await measure({ points: 3, groups, orders: ["middle-first", "random"] });
    expect(layers.map(({ group }) => group)).toEqual(["hidden", "l1", "l2"]);
    expect(cumulative[0]?.steps.map(({ added }) => added)).toEqual(["l1", "l2", "hidden"]);
    expect(cumulative[1]?.steps.map(({ added }) => added).sort()).toEqual(["hidden", "l1", "l2"]);
  });

  test("says how far random directions of the same length raise the loss", async () => {
    const result = await measure({ points: 3, directions: 2, seed: 4 });
    const again = await measure({ points: 3, directions: 2, seed: 4 });
    const other = await measure({ points: 3, directions: 2, seed: 5 });
    expect(again.robustness).toEqual(result.robustness);
    expect(other.robustness).not.toEqual(result.robustness);
    result.robustness?.forEach(({ random, randomHalfway, toOther, group }, index) => {
      expect([group, random.length, randomHalfway.length]).toEqual([result.groups[index]?.name, 2, 2]);
      const [start = 0, halfway = 0, end = 0] = losses(result.layers[index]?.a as LayerCut);
      expect(toOther).toEqual({ halfway: halfway - start, end: end - start });
    });
  });

  test("reports progress that ends where it said, and stops when told", async () => {
    const seen: LayersProgress[] = [];
    const options = {
      points: 3,
      directions: 1,
      predict: 10,
      onProgress: (at: LayersProgress) => seen.push(at),
    };
    await measure(options);
    const { total } = seen[0] as LayersProgress;
    expect(seen.map(({ completed }) => completed)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(seen.at(-1)?.done).toBe(1);
    expect(new Set(seen.map(({ phase }) => phase))).toEqual(
      new Set(["measuring", "directions", "predicting"]),
    );
    await expect(measure({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
  });

  test.each<[string, MeasureLayersOptions]>([
    ["points", { points: 4 }],
    ["points", { points: 1 }],
    ["predict", { predict: -1 }],
    ["directions", { directions: -1 }],
    ["orders[0]", { orders: ["sideways" as "random"] }],
    ["orders", { orders: ["random", "random"] }],
    ["statistics", { statistics: "repair-closed-form" }],
    ["statistics", { statistics: "recalibrate", predict: 5 }],
  ])("refuses %s out of range: %o", async (name, options) => {
    await expect(measure(options)).rejects.toThrow(RangeError);
    await expect(measure(options)).rejects.toThrow(`Cannot measure layers as "${name}" must be`);
  });
});

describe("measureLayers() with a journal", () => {
  const options = { points: 3, directions: 1, predict: 15, orders: ["random", "deep-to-shallow"] as const };

  test("goes on after it was stopped anywhere, to the same bytes", async () => {
    const whole = JSON.stringify(await measure(options));
    const journalPath = join(folder, "killed.json");
    let runs = 0;
    let result: LayersResult | undefined;
    while (result === undefined) {
      const controller = new AbortController();
      let left = 4;
      const onProgress = () => --left === 0 && controller.abort();
      runs += 1;
      result = await measure({ ...options, journalPath, signal: controller.signal, onProgress }).catch(
        (error) => {
          expect(error).toMatchObject({ name: "AbortError" });
          return undefined;
        },
      );
    }
    expect(runs).toBeGreaterThan(5);
    expect(JSON.stringify(result)).toBe(whole);
  });

  test("refuses the journal of other work, and leaves it as it is", async () => {
    const journalPath = join(folder, "other.json");
    await measure({ points: 3, journalPath });
    const before = await readFile(journalPath, "utf8");
    const other = { ...mlp, a: ends.a, b: randomNetwork(mlp.graph, 3) };
    await expect(
      measureLayers(other, [other.a, other.b], other.data, { points: 3, journalPath }),
    ).rejects.toThrow(/"b" is/);
    await expect(measure({ points: 3, seed: 1, journalPath })).rejects.toThrow(MismatchError);
    const groups = [{ name: "first", patterns: ["l0"] }];
    await expect(measure({ points: 3, groups, journalPath })).rejects.toThrow(/"groups" is/);
    expect(await readFile(journalPath, "utf8")).toBe(before);
    await writeFile(journalPath, "[]");
    await expect(measure({ points: 3, journalPath })).rejects.toThrow(FormatError);
  });
});

describe("measureLayers() with batch norms", () => {
  const cnn = {
    graph: smallCnn(),
    engine,
    data: randomExamples([2, 4, 4], { size: 50, classes: 3, seed: 3 }),
  };
  const pair = { a: randomNetwork(cnn.graph, 1), b: randomNetwork(cnn.graph, 2) };
  const between = lerp(pair.a, pair.b, (name) => (name.startsWith("n0.") ? 0.5 : 0));

  test("recalibrates every network but A and B", async () => {
    const { layers } = await measureLayers(cnn, [pair.a, pair.b], cnn.data, {
      points: 3,
      statistics: "recalibrate",
    });
    const norm = layers.find(({ group }) => group === "n0")?.a;
    const corrected = await recalibrateBatchNorm({ graph: cnn.graph, engine }, between, cnn.data);
    expect(norm?.points[0]).toEqual({ t: 0, ...(await evaluate(pair.a, cnn)) });
    expect(norm?.points[1]).toEqual({ t: 0.5, ...(await evaluate(corrected, cnn)) });
    const swapped = lerp(pair.a, pair.b, (name) => (name.startsWith("n0.") ? 1 : 0));
    const end = await recalibrateBatchNorm({ graph: cnn.graph, engine }, swapped, cnn.data);
    expect(norm?.points[2]).toEqual({ t: 1, ...(await evaluate(end, cnn)) });
  });

  test("repairs every layer by its own place", async () => {
    const options = { points: 3, statistics: "repair" as const };
    const { layers, whole } = await measureLayers(cnn, [pair.a, pair.b], cnn.data, options);
    const repairer = await createRepairer({ graph: cnn.graph, engine }, [pair.a, pair.b], cnn.data);
    const corrected = await repairer.repair(between, (site) =>
      site.startsWith("n0.") ? [0.5, 0.5] : [1, 0],
    );
    const norm = layers.find(({ group }) => group === "n0")?.a;
    expect(norm?.points[1]).toEqual({ t: 0.5, ...(await evaluate(corrected, cnn)) });
    expect(whole.points).toEqual((await measureBarrier(cnn, [pair.a, pair.b], cnn.data, options)).points);
  });
});

describe("predictBarriers()", () => {
  /** Two random networks, with the data of the multilayer perceptron. */
  const networksOf = (graph: Graph) => ({
    graph,
    engine,
    data: mlp.data,
    a: randomNetwork(graph, 1),
    b: randomNetwork(graph, 2),
  });

  /** One linear layer: its mean squared error is a quadratic of its weights. */
  function linear(): Graph {
    const b = new GraphBuilder();
    return b.output(b.linear(b.input("x", [6]), "only", 6, 4)).build("linear");
  }

  test("is exact where the loss is a quadratic of the weights", async () => {
    const graph = linear();
    const networks = networksOf(graph);
    const loss = { kind: "mean-squared-error" } as const;
    // A size of batch that leaves examples over.
    const {
      ends: [a, b],
      groups,
    } = await predictBarriers(networks, [networks.a, networks.b], networks.data, {
      examples: 50,
      batchSize: 20,
      loss,
    });
    const {
      graph: objective,
      targets,
      loss: name,
    } = attachLoss(await specialize({ graph, engine }, { batch: 50 }), loss);
    const session = await engine.load(objective);
    const { inputs, labels } = networks.data.read(0, 50);
    const rows = new Float32Array(50 * 4);
    for (const [i, label] of labels.entries()) rows[4 * i + label] = 1;
    const lossAt = async (t: number) => {
      const feeds = new Map<string, Tensor>([
        ...(await bindWeights(graph, lerp(networks.a, networks.b, t))),
        ["x", inputs],
        [targets.name, { dtype: "f32", shape: [50, 4], data: rows }],
      ]);
      return Number((await session.run(feeds)).get(name)?.data[0]);
    };
    const [from, to] = [await lossAt(0), await lossAt(1)];
    expect([a.loss, b.loss]).toEqual([expect.closeTo(from, 5), expect.closeTo(to, 5)]);
    const [atA, atB] = [a, b].map((end) => alongGroups(end, [...groups.keys()]));
    for (const t of [0.1, 0.5, 0.8]) {
      const rise = (await lossAt(t)) - ((1 - t) * from + t * to);
      // Derivatives are of f32 sums over examples.
      expect(predictRise(atA!, atB!, t)).toBeCloseTo(rise, 5);
    }
    await session.release();
  });

  test("has slopes and curvatures that differences of losses have", async () => {
    const b = new GraphBuilder();
    const hidden = b.op("Tanh", [b.linear(b.input("x", [6]), "l0", 6, 8)]);
    const graph = b.output(b.linear(hidden, "l1", 8, 4)).build("smooth");
    const networks = networksOf(graph);
    const { ends: expansions, groups } = await predictBarriers(
      networks,
      [networks.a, networks.b],
      networks.data,
      { batchSize: 50 },
    );
    expect(groups.map(({ name }) => name)).toEqual(["l0", "l1"]);
    for (const [k, { slopes, curvatures, loss }] of expansions.entries()) {
      const at = async (...steps: readonly number[]) => {
        const shares = new Map(steps.map((step, i) => [`l${i}`, k === 0 ? step : 1 + step] as const));
        return (await evaluate(mergeLayers(networks.a, networks.b, shares), networks)).loss;
      };
      // Losses have an error of 1e-7, over a step squared; the third derivative adds an error of equal size.
      const h = 0.05;
      const middle = await at(0, 0);
      expect(loss).toBeCloseTo(middle, 5);
      for (const [i, step] of [[h, 0] as const, [0, h] as const].entries()) {
        const [right, left] = [await at(...step), await at(-step[0], -step[1])];
        expect(slopes[i]).toBeCloseTo((right - left) / (2 * h), 2);
        expect(curvatures[i]?.[i]).toBeCloseTo((right - 2 * middle + left) / h ** 2, 2);
      }
      const mixed = (await at(h, h)) - (await at(h, -h)) - (await at(-h, h)) + (await at(-h, -h));
      expect(curvatures[0]?.[1]).toBeCloseTo(mixed / (4 * h ** 2), 2);
      expect(curvatures[1]?.[0]).toBeCloseTo(curvatures[0]?.[1] ?? Number.NaN, 5);
    }
  });

  test("knows the loss of texts", async () => {
    const text = createTextDataSet(markovText(300, 0), { context: 12 });
    const { graph, initialize } = parseNetwork("gpt:d1:w16:h2", text);
    const networks = { graph, engine, data: text, a: initialize(0), b: initialize(1) };
    const {
      ends: [a, b],
      groups,
    } = await predictBarriers(networks, [networks.a, networks.b], networks.data);
    expect(groups.length).toBeGreaterThan(5);
    for (const [end, checkpoint] of [
      [a, networks.a],
      [b, networks.b],
    ] as const) {
      expect(end.loss).toBeCloseTo((await evaluate(checkpoint, networks)).loss, 4);
    }
  });

  test("stands beside what was measured on the same examples", async () => {
    const { predictions, layers, whole } = await measure({ points: 3, predict: 51 });
    expect(predictions?.examples).toBe(50); // all there are
    expect(predictions?.barriers.map(({ group }) => group)).toEqual(["l0", "l1", "l2", "all"]);
    layers.forEach(({ barrier }, index) => {
      expect(predictions?.barriers[index]?.points[1]?.measured).toBeCloseTo(barrier.loss, 12);
    });
    const all = predictions?.barriers.at(-1);
    expect(all?.measured).toBeCloseTo(whole.barrier.loss.chord, 12);
    const total = predictions?.interactions[0]?.curvatures.flat().reduce((sum, value) => sum + value, 0);
    expect(all?.ends[0]?.curvature).toBeCloseTo(total ?? Number.NaN, 10);
    const middles = predictions?.barriers.slice(0, 3).map(({ points }) => points[1]);
    expect(predictions?.rankCorrelation).toBe(
      rankCorrelation(
        middles?.map((point) => point?.predicted ?? 0) ?? [],
        middles?.map((point) => point?.measured ?? 0) ?? [],
      ),
    );
  });
});
