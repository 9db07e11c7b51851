import { readFileSync } from "node:fs";
import { sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, decodeGraph, encodeGraph, type Graph, specialize } from "@isthmus/graph";
import { discoverSymmetries, explainSpec, verifySymmetries } from "@isthmus/symmetry";
import { type Network, parseNetwork } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { describeSizes } from "../../../test/helpers/describe-symmetries.ts";
import { waveWeights } from "../../../test/helpers/wave-weights.ts";
import { waves } from "../../../test/helpers/waves.ts";

const EXAMPLES = 2;

interface Golden {
  readonly exampleShape: readonly number[];
  readonly classes: number;
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly logits: readonly number[];
}

/** What PyTorch modules have and compute, with the formulas below for weights and inputs. */
const golden: { readonly networks: Readonly<Record<string, Golden>> } = JSON.parse(
  readFileSync(new URL("../../../test/golden/zoo.json", import.meta.url), "utf8"),
);

const engine = createOnnxRuntimeEngine();

/** Shapes of the weights in the order of their names, as golden/generate-zoo.py numbers them. */
const shapesOf = ({ weights }: Graph) =>
  [...weights].sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, { shape }]) => [name, shape] as const);

function inputOf({ graph }: Network, { exampleShape, classes }: Golden): Tensor {
  const shape = [EXAMPLES, ...exampleShape];
  if (graph.inputs[0]?.dtype !== "i64") return waves(shape, 0, 1.5);
  const data = BigInt64Array.from({ length: sizeOf(shape) }, (_, i) => BigInt((7 * i + 3) % classes));
  return { dtype: "i64", shape, data };
}

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<Tensor> {
  const session = await engine.load(graph);
  try {
    return (await session.run(feeds)).get("logits") as Tensor;
  } finally {
    await session.release();
  }
}

function largestDifference(numbers: Tensor["data"], expected: readonly number[]): number {
  expect(numbers.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - Number(numbers[i]))));
}

describe.each(Object.entries(golden.networks))("%s", (spec, expected) => {
  const network = parseNetwork(spec, expected);
  const { graph } = network;
  const input = inputOf(network, expected);
  const feeds = new Map([...waveWeights(shapesOf(graph)), [graph.inputs[0]?.name ?? "", input]]);

  test("parseNetwork() gives the weights of the PyTorch module", () => {
    const shapes = [...graph.weights].map(([name, { shape }]) => [name, [...shape]]);
    expect(Object.fromEntries(shapes)).toEqual(expected.weights);
    const statistics = [...graph.weights].filter(([, { role }]) => role === "statistic");
    expect(statistics.map(([name]) => name)).toEqual(
      [...graph.weights.keys()].filter((name) => /running_(mean|var)$/.test(name)),
    );
  });

  // Logits are below 4 and rounding some 1e-6: a wrong epsilon, gelu or layout shows up above 1e-4.
  test("parseNetwork() computes what PyTorch computes", async () => {
    const logits = await run(graph, feeds);
    expect(logits.shape[0]).toBe(EXAMPLES);
    expect(largestDifference(logits.data, expected.logits)).toBeLessThan(2e-5);
  });

  test("parseNetwork() gives a graph that takes batches of any size", async () => {
    const single = expected.logits.length / EXAMPLES;
    const stride = input.data.length / EXAMPLES;
    const last = { ...input, shape: [1, ...input.shape.slice(1)], data: input.data.slice(stride) };
    const logits = await run(graph, new Map([...feeds, [graph.inputs[0]?.name ?? "", last]]));
    expect(logits.shape[0]).toBe(1);
    expect(largestDifference(logits.data, expected.logits.slice(single))).toBeLessThan(2e-5);
  });

  test("parseNetwork() gives a graph that can be written, read and made typed", async () => {
    expect(decodeGraph(encodeGraph(graph)).graph).toEqual(graph);
    const typed = await specialize({ graph, engine }, { batch: EXAMPLES });
    expect(largestDifference((await run(typed, feeds)).data, expected.logits)).toBeLessThan(2e-5);
  });

  test("Network.initialize() fits the graph and gives finite logits", async () => {
    const weights = await bindWeights(graph, network.initialize(1));
    expect([...weights.keys()]).toEqual([...graph.weights.keys()]);
    const logits = await run(graph, new Map([...feeds, ...weights]));
    expect(Array.from(logits.data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});

const image = { exampleShape: [1, 28, 28], classes: 10 };
const picture = { exampleShape: [3, 16, 16], classes: 10 };
const text = { exampleShape: [16], classes: 30 };

describe("lenet", () => {
  test("has 44,426 parameters for digits, and needs 16 pixels a side", () => {
    const { graph } = parseNetwork("lenet", image);
    expect(shapesOf(graph).reduce((sum, [, shape]) => sum + sizeOf(shape), 0)).toBe(44_426);
    const tiny = { exampleShape: [1, 15, 28], classes: 10 };
    expect(() => parseNetwork("lenet", tiny)).toThrow(/at least 16 pixels a side: they are 15 x 28/);
  });
});

describe("symmetries", () => {
  test.each([
    ["mlp:512x3", image, ["512", "512", "512"], [3, 3]],
    ["mlp:24-12:gelu", image, ["12", "24"], [3, 3]],
    ["lenet", image, ["6", "16", "84", "120"], [3, 4]],
    ["vgg:1-1-2:w0.125", image, ["8", "16", "32", "32"], [3, 1]],
    ["vgg:1-1:w0.5:group", image, ["4", "8", "4x8", "8x8"], [3, 1]],
    // Streams of each stage, tied over its blocks, and the inner channels of three blocks each.
    ["resnet20:w0.5", picture, "8 8 8 8 16 16 16 16 32 32 32 32".split(" "), [3, 1]],
    ["resnet20:w0.25:layer", picture, "4 4 4 4 8 8 8 8 16 16 16 16".split(" "), [3, 1]],
    ["resnet8:group", picture, "2 2 4 4 8 8 2x8 2x8 4x8 4x8 8x8 8x8".split(" "), [3, 1]],
    ["resnet18:w0.125", picture, "8 8 8 16 16 16 32 32 32 64 64 64".split(" "), [3, 1]],
    // Heads of each layer, the stream, hidden units; inside each head those of queries with keys, and of values.
    ["vit:p7:d2:w24:h4", image, ["4", "4", "24", "96", "96", "4x6", "4x6", "4x6", "4x6"], [3, 1]],
    ["gpt:d2:w24:h4:c16", text, ["4", "4", "24", "96", "96", "4x6", "4x6", "4x6", "4x6"], [2, 0]],
    ["gpt:d1:w24:h4:c16:untied", text, ["4", "24", "96", "4x6", "4x6"], [3, 0]],
    // Rotary positions hold queries and keys in place; each group of keys and values has its queries' heads.
    ["llama:d2:w32:h4:kv2:c16", text, "2 2 32 96 96 2x2 2x2 2x8 2x8".split(" "), [2, 0]],
  ] as const)(
    "discoverSymmetries() finds those of %s, and they hold",
    async (spec, shape, sizes, [frozen, kernels]) => {
      const network = parseNetwork(spec, shape);
      const found = await discoverSymmetries({ graph: network.graph, engine });
      expect(describeSizes(found.spec)).toEqual(sizes);
      const { unknown, frozen: axes } = explainSpec(found.spec);
      expect(unknown).toEqual([]);
      expect(axes.length).toBeLessThanOrEqual(frozen + kernels);
      for (const weights of [undefined, network.initialize(2)]) {
        expect(
          await verifySymmetries({ graph: network.graph, engine }, found, { seed: 1, weights }),
        ).toMatchObject({
          passed: true,
        });
      }
    },
  );
});
