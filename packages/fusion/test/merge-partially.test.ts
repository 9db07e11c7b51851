import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  fromFloat32Into,
  type Tensor,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { mergePartially } from "@isthmus/fusion";
import { type DataSet, type Graph, randomInputs } from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomGraph } from "../../../test/helpers/random-graph.ts";
import { randomImageGraph } from "../../../test/helpers/random-image-graph.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import {
  outerProduct,
  smallCnn,
  smallMlp,
  smallNetworks,
  smallRecurrent,
  smallTransformer,
} from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();

/** The networks of which some units can be kept apart: not those whose layers read products of two units. */
const separable = smallNetworks().filter(({ name }) => name !== "product" && name !== "square");

/** Runs a network on examples, or on random inputs, and returns its only output. */
async function outputOf(graph: Graph, network: Checkpoint, data?: DataSet): Promise<Float64Array> {
  const feeds = new Map<string, Tensor>(randomInputs(graph, 5, 3));
  if (data !== undefined) feeds.set(graph.inputs[0]?.name ?? "", data.read(0, data.size).inputs);
  for (const name of graph.weights.keys()) feeds.set(name, await network.read(name));
  const session = await engine.load(graph);
  const outputs = await session.run(feeds);
  await session.release();
  const [output] = outputs.values();
  return toFloat64(output?.data ?? new Float64Array(), "f32");
}

const largestDifference = (x: Float64Array, y: Float64Array): number =>
  x.reduce((most, value, i) => Math.max(most, Math.abs(value - (y[i] ?? Number.NaN))), 0);

const largest = (x: Float64Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Merges two random networks, and returns how far the result is from the mean of their outputs. */
async function compareWithMean(graph: Graph, width: number) {
  const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
  const merged = await mergePartially({ graph, engine }, [a, b], { seed: 0, restarts: 1, width });
  const [inA, inB] = [await outputOf(graph, a), await outputOf(graph, b)];
  const mean = inA.map((value, i) => (value + (inB[i] as number)) / 2);
  const actual = await outputOf(merged.graph, merged.network);
  return { merged, error: largestDifference(actual, mean) / largest(mean) };
}

const dataOf = (graph: Graph, seed: number) =>
  randomExamples((graph.inputs[0]?.shape ?? []).slice(1).map(Number), { size: 64, seed });

describe("mergePartially()", () => {
  test.each([smallMlp(), smallCnn(), smallTransformer(), smallRecurrent()])(
    "computes the mean of the outputs of both at width 2: $name",
    async (graph) => {
      const { merged, error } = await compareWithMean(graph, 2);
      expect(merged.symmetries.every(({ merged, whole }) => merged === 0 && whole === null)).toBe(true);
      expect(error).toBeLessThan(1e-5);
    },
  );

  test.each(smallNetworks())("is the average of the aligned networks at width 1: $name", async (graph) => {
    const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
    const { network, aligned } = await mergePartially({ graph, engine }, [a, b], {
      seed: 0,
      restarts: 1,
      width: 1,
    });
    for (const name of graph.weights.keys()) {
      const [inA, inB] = [await a.read(name), await aligned.read(name)];
      const mean = toFloat64(inA.data, "f32").map((x, i) => Math.fround((x + Number(inB.data[i])) / 2));
      expect(largestDifference(toFloat64((await network.read(name)).data, "f32"), mean)).toBeLessThan(1e-6);
    }
  });

  test.each(separable)("proves what it makes at widths between: $name", async (graph) => {
    const { merged } = await compareWithMean(graph, 1.5);
    expect(merged.proof.maxRelativeError).toBeLessThan(1e-4);
  });

  test.each(["product", "square"])(
    "refuses to keep units apart whose products are read: %s",
    async (name) => {
      const graph = outerProduct(name === "square");
      await expect(compareWithMean(graph, 1.5)).rejects.toThrow(
        'they can be kept apart: of "left", some units follow two symmetries at once',
      );
    },
  );

  test.each([randomGraph, randomImageGraph])("proves or refuses whatever the graph is: %o", async (make) => {
    for (let seed = 0; seed < 12; seed++) {
      const graph = make(seed, 8);
      const networks = [randomNetwork(graph, 1), randomNetwork(graph, 2)] as const;
      const options = { seed, restarts: 1, width: 1.5 };
      const outcome = await mergePartially({ graph, engine }, networks, options).catch((error) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UnsupportedError);
      else expect(outcome.proof.maxRelativeError).toBeLessThan(1e-3);
    }
  });

  test("reads networks of half the precision", async () => {
    const graph = smallMlp();
    const halves = await Promise.all(
      [1, 2].map(async (seed) => {
        const network = randomNetwork(graph, seed);
        const tensors = new Map<string, Tensor>();
        for (const name of graph.weights.keys()) {
          const { shape, data } = await network.read(name);
          const half = allocateData("bf16", data.length);
          tensors.set(name, {
            dtype: "bf16",
            shape,
            data: fromFloat32Into(data as Float32Array, "bf16", half),
          });
        }
        return createCheckpoint(tensors);
      }),
    );
    const [a, b] = halves as [Checkpoint, Checkpoint];
    const { graph: wide, network } = await mergePartially({ graph, engine }, [a, b], {
      ...{ seed: 0, restarts: 1, width: 1.5, data: dataOf(graph, 1) },
      fit: {},
    });
    expect((await network.read("l0.weight")).dtype).toBe("f32");
    expect(await outputOf(wide, network)).not.toContain(Number.NaN);
  });

  test("takes widths of symmetries by their names", async () => {
    const graph = smallMlp();
    const networks = [randomNetwork(graph, 1), randomNetwork(graph, 2)] as const;
    const merge = (width: Record<string, number>) =>
      mergePartially({ graph, engine }, networks, { seed: 0, restarts: 1, width });
    const { graph: wide } = await merge({ l1: 1.5 });
    expect(wide.weights.get("l0.weight")?.shape).toEqual(graph.weights.get("l0.weight")?.shape);
    expect(wide.weights.get("l1.bias")?.shape).toEqual([18]);
    await expect(merge({ l9: 1.5 })).rejects.toThrow('there is no "l9"; the symmetries are l0, l1');
    await expect(merge({ l1: 2.5 })).rejects.toThrow('"l1" must be in [1, 2]: it is 2.5');
  });

  test("merges and keeps apart whole heads", async () => {
    const graph = smallTransformer();
    const { merged } = await compareWithMean(graph, 4 / 3);
    expect(merged.graph.weights.get("proj.weight")?.shape).toContain(16);
  });
});

describe("mergePartially() with a fit", () => {
  test.each([smallMlp(), smallCnn(), smallTransformer()])(
    "brings every layer closer to what it should compute: $name",
    async (graph) => {
      const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
      const {
        layers,
        graph: wide,
        network,
      } = await mergePartially({ graph, engine }, [a, b], {
        ...{ seed: 0, restarts: 1, width: 1.25, data: dataOf(graph, 1) },
        fit: { ridge: 1e-3 },
      });
      expect(layers.length).toBeGreaterThan(2);
      for (const { before, after } of layers) expect(after).toBeLessThanOrEqual(before);
      expect(layers.at(-1)?.after).toBeLessThan(0.5 * (layers.at(-1)?.before ?? 0));
      expect(await outputOf(wide, network)).not.toContain(Number.NaN);
    },
  );

  test.each([smallMlp(), smallCnn()])(
    "changes nothing at width 2, where nothing is missing: $name",
    async (graph) => {
      const networks = [randomNetwork(graph, 1), randomNetwork(graph, 2)] as const;
      const options = { seed: 0, restarts: 1, width: 2, data: dataOf(graph, 1) };
      const plain = await mergePartially({ graph, engine }, networks, options);
      const fitted = await mergePartially({ graph, engine }, networks, { ...options, fit: {} });
      const [before, after] = [
        await outputOf(plain.graph, plain.network),
        await outputOf(fitted.graph, fitted.network),
      ];
      expect(largestDifference(before, after) / largest(before)).toBeLessThan(1e-4);
    },
  );

  test("fits merged units to each network on the examples of its task", async () => {
    const graph = smallMlp();
    const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
    // Tasks whose examples lie far apart: one network can do both.
    const tasks = [
      randomExamples([6], { size: 300, seed: 3, mean: 4 }),
      randomExamples([6], { size: 300, seed: 4, mean: -4 }),
    ] as const;
    const base = { seed: 0, restarts: 1, width: 1.5, data: tasks[0] };
    const mean = await mergePartially({ graph, engine }, [a, b], { ...base, fit: {} });
    const each = await mergePartially({ graph, engine }, [a, b], { ...base, fit: { tasks } });
    const onTaskA = async (graphOf: Graph, network: Checkpoint) => outputOf(graphOf, network, tasks[0]);
    const goal = await onTaskA(graph, a);
    const distance = async ({ graph: wide, network }: typeof mean) =>
      largestDifference(await onTaskA(wide, network), goal);
    expect(await distance(each)).toBeLessThan(0.5 * (await distance(mean)));
  });

  test("refuses a fit without examples, and a ridge of zero", async () => {
    const graph = smallMlp();
    const networks = [randomNetwork(graph, 1), randomNetwork(graph, 2)] as const;
    const base = { seed: 0, restarts: 1 };
    await expect(mergePartially({ graph, engine }, networks, { ...base, fit: {} })).rejects.toThrow(
      'add "data"',
    );
    const data = dataOf(graph, 1);
    await expect(
      mergePartially({ graph, engine }, networks, { ...base, data, fit: { ridge: 0 } }),
    ).rejects.toThrow('"ridge" must be a positive number: it is 0');
  });
});
