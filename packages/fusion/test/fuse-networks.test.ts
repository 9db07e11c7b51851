import { at, type Checkpoint, createCheckpoint, createRandom, createTensor, entry } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bakeWeights, bindWeights, type Graph, type Node, randomInputs, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuseNetworks, type PlanKind } from "../src/index.ts";

const engine = createOnnxRuntimeEngine();
const form = { exampleShape: [1, 16, 16], classes: 5 };

/** Runs a network on random examples. */
async function outputsOf(graph: Graph, network: Checkpoint): Promise<Float32Array> {
  const session = await engine.load(bakeWeights(graph, await bindWeights(graph, network)), { threads: 1 });
  try {
    const outputs = await session.run(randomInputs(graph, 4, 0));
    return entry(outputs, at(graph.outputs, 0, "output").name, "output").data as Float32Array;
  } finally {
    await session.release();
  }
}

async function expectSame(
  [graph, network]: readonly [Graph, Checkpoint],
  [other, changed]: readonly [Graph, Checkpoint],
): Promise<void> {
  const before = await outputsOf(graph, network);
  const after = await outputsOf(other, changed);
  const size = Math.max(...before.map(Math.abs));
  after.forEach((value, i) => {
    expect(Math.abs(value - (before[i] ?? Number.NaN))).toBeLessThanOrEqual(2e-5 * size);
  });
}

const random = (graph: Graph, seed: number) => createCheckpoint(randomWeights(graph, seed));

/** A convolution and a depthwise one, whose channels are flattened and read by a layer: followers. */
function flattening(channels: number): Graph {
  const node = (
    op: string,
    inputs: string[],
    output: string,
    attributes: Node["attributes"] = new Map(),
  ): Node => ({
    ...{ name: output, op, domain: "", inputs, outputs: [output], attributes },
  });
  const weight = (...shape: number[]) => ({ dtype: "f32", shape, role: "parameter" }) as const;
  return {
    name: "flattening",
    opsets: new Map([["", 17]]),
    inputs: [{ name: "x", dtype: "f32", shape: ["N", 2, 4, 4] }],
    weights: new Map([
      ["conv.weight", weight(channels, 2, 3, 3)],
      ["conv.bias", weight(channels)],
      ["depthwise.weight", weight(channels, 1, 1, 1)],
      ["fc.weight", weight(5, channels * 4)],
      ["fc.bias", weight(5)],
    ]),
    constants: new Map(),
    nodes: [
      node("Conv", ["x", "conv.weight", "conv.bias"], "c"),
      node("Relu", ["c"], "r"),
      node("Conv", ["r", "depthwise.weight"], "d", new Map([["group", { type: "int", value: channels }]])),
      node("Flatten", ["d"], "f"),
      node("Gemm", ["f", "fc.weight", "fc.bias"], "y", new Map([["transB", { type: "int", value: 1 }]])),
    ],
    outputs: [{ name: "y", dtype: "f32", shape: ["N", 5] }],
  };
}

const text = { exampleShape: [8], classes: 11 };
const graphOf = (network: string) => parseNetwork(network, network.startsWith("gpt") ? text : form).graph;

/** Narrow and wide graphs of one structure; norms over units need every unit doubled equally often. */
const PAIRS: readonly (readonly [string, Graph, Graph, PlanKind])[] = [
  ["an MLP", graphOf("mlp:6x2"), graphOf("mlp:15x2"), "hard"],
  ["layers of other widths each", graphOf("mlp:6-5"), graphOf("mlp:7-12"), "hard"],
  ["a residual network with batch norms", graphOf("resnet8:w0.5"), graphOf("resnet8:w1"), "hard"],
  [
    "a residual network with layer norms",
    graphOf("resnet8:w0.5:layer"),
    graphOf("resnet8:w1:layer"),
    "balanced",
  ],
  ["channels that are flattened", flattening(3), flattening(8), "hard"],
  [
    "a transformer with twice the heads",
    graphOf("vit:p8:d2:w12:h3"),
    graphOf("vit:p8:d2:w24:h6"),
    "balanced",
  ],
  [
    "a language model with twice the heads",
    graphOf("gpt:d1:w8:h2:untied"),
    graphOf("gpt:d1:w16:h4:untied"),
    "balanced",
  ],
  [
    "a transformer with a wider MLP",
    graphOf("vit:p8:d1:w12:h3:f10"),
    graphOf("vit:p8:d1:w12:h3:f37"),
    "hard",
  ],
];

describe("fuseNetworks", () => {
  it.each(PAIRS)("transports %s to a wider graph that computes the same", async (_, narrow, wide, plan) => {
    const network = random(narrow, 1);
    const target = { graph: wide, engine, network: random(wide, 2) };
    const { transported, symmetries } = await fuseNetworks({ graph: narrow, engine, network }, target, {
      plan,
    });
    await expectSame([narrow, network], [wide, transported]);
    expect(symmetries.some(({ units }) => units.source < units.target)).toBe(true);
  });

  it.each(PAIRS)("finds the doubled units of %s again, in both directions", async (_, narrow, wide, plan) => {
    const small = { graph: narrow, engine, network: random(narrow, 3) };
    const { transported } = await fuseNetworks(
      small,
      { graph: wide, engine, network: random(wide, 4) },
      { plan },
    );
    const large = { graph: wide, engine, network: transported };
    const widening = await fuseNetworks(small, large, { plan });
    expect(widening.distance).toBeLessThan(1e-6);
    await expectSame([narrow, small.network], [wide, widening.fused]);
    const narrowing = await fuseNetworks(large, small, { plan, weight: 0.3 });
    expect(narrowing.distance).toBeLessThan(1e-6);
    await expectSame([narrow, small.network], [narrow, narrowing.fused]);
  });

  it("keeps the function of a network widened as by Net2Net, whatever the copies carry on", async () => {
    const [narrow, wide] = [graphOf("mlp:4x2"), graphOf("mlp:9x2")];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const network = random(narrow, seed);
        const widened = await widen(network, [9, 9], seed);
        await expectSame([narrow, network], [wide, widened]);
        const [small, large] = [
          { graph: narrow, engine, network },
          { graph: wide, engine, network: widened },
        ];
        const { fused } = await fuseNetworks(small, large, { plan: "hard" });
        await expectSame([narrow, network], [wide, fused]);
        const back = await fuseNetworks(large, small, { plan: "hard" });
        await expectSame([narrow, network], [narrow, back.fused]);
      }),
      { numRuns: 15 },
    );
  });

  it("finds doubled units by their activations, as plans and as mixtures", async () => {
    const [narrow, wide] = [graphOf("mlp:5x2"), graphOf("mlp:10x2")];
    const small = { graph: narrow, engine, network: random(narrow, 5) };
    const target = { graph: wide, engine, network: random(wide, 6) };
    const { transported } = await fuseNetworks(small, target, { plan: "balanced" });
    const large = { graph: wide, engine, network: transported };
    for (const cost of ["distance", "correlation"] as const) {
      for (const plan of ["hard", "balanced", "soft"] as const) {
        const options = {
          method: "activation",
          data: examples(60),
          cost,
          plan,
          // Units that never fire differ in values that no layer reads, which count for little.
          regularization: 2e-6,
        } as const;
        const { fused, symmetries } = await fuseNetworks(small, large, options);
        await expectSame([narrow, small.network], [wide, fused]);
        for (const { partners } of symmetries) expect(partners.source.mean).toBeCloseTo(2, 4);
      }
    }
  });

  it("finds the permutation of networks as wide as each other", async () => {
    const graph = graphOf("vit:p8:d1:w12:h3");
    const symmetries = await discoverSymmetries({ graph, engine });
    const network = random(graph, 7);
    const shuffled = permute(randomAlignment(symmetries.spec, 8), network, symmetries.spec);
    const architecture = { graph, engine, symmetries };
    const { transported } = await fuseNetworks(
      { ...architecture, network: shuffled },
      { ...architecture, network },
    );
    for (const name of graph.weights.keys()) {
      expect((await transported.read(name)).data).toEqual((await network.read(name)).data);
    }
  });

  it("mixes units the more, the larger the regularization", async () => {
    const [narrow, wide] = [graphOf("mlp:5x2"), graphOf("mlp:8x2")];
    const source = { graph: narrow, engine, network: random(narrow, 9) };
    const target = { graph: wide, engine, network: random(wide, 10) };
    const partners: number[] = [];
    for (const regularization of [0.01, 0.1, 1]) {
      const { symmetries } = await fuseNetworks(source, target, {
        plan: "soft",
        regularization,
        maxSweeps: 1,
      });
      for (const { plan } of symmetries) expect(plan.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 6);
      partners.push(at(symmetries, 0, "symmetry").partners.target.mean);
    }
    expect(partners).toEqual([...partners].sort((a, b) => a - b));
    expect(at(partners, 2, "number")).toBeGreaterThan(4);
  });

  it("takes the target's share where the weight says so, and leaves its integers", async () => {
    const [narrow, wide] = [graphOf("mlp:4x2"), graphOf("mlp:6x2")];
    const source = { graph: narrow, engine, network: random(narrow, 1) };
    const network = random(wide, 2);
    const { fused } = await fuseNetworks(source, { graph: wide, engine, network }, { weight: 0 });
    for (const name of wide.weights.keys()) {
      expect((await fused.read(name)).data).toEqual((await network.read(name)).data);
    }
  });

  it.each([
    ["mlp:4x2", "mlp:4x3", /must have the same symmetries/],
    ["mlp:4", "resnet8:w1", /must have the same symmetries/],
    [
      "gpt:d1:w8:h2:tied",
      "gpt:d1:w16:h4:tied",
      /both an embedding and summed over.*export the graph with the two untied/,
    ],
    ["vit:p8:d1:w12:h3", "vit:p8:d1:w24:h3", /sum over its units, as of queries and keys.*they have 4 and 8/],
  ])("refuses %s and %s", async (a, b, message) => {
    const [source, target] = [a, b].map((name) => ({
      graph: graphOf(name),
      engine,
      network: random(graphOf(name), 0),
    }));
    if (source === undefined || target === undefined) throw new Error("no networks");
    await expect(fuseNetworks(source, target)).rejects.toThrow(message);
  });

  it("names a weight that is not finite, and options that do not fit", async () => {
    const graph = graphOf("mlp:4");
    const good = { graph, engine, network: random(graph, 0) };
    const tensors = randomWeights(graph, 1);
    entry(tensors, "layers.0.bias", "weight").data[2] = Number.NaN;
    const bad = { ...good, network: createCheckpoint(tensors) };
    await expect(fuseNetworks(good, bad)).rejects.toThrow(/"layers.0.bias".*must be finite/);
    await expect(fuseNetworks(good, good, { method: "activation" })).rejects.toThrow(/give "data"/);
    await expect(fuseNetworks(good, good, { weight: 1.5 })).rejects.toThrow(
      /"weight" must be from 0 to 1: it is 1.5/,
    );
    await expect(fuseNetworks(good, good, { plan: "medium" as "soft" })).rejects.toThrow(
      /one of hard, balanced, soft/,
    );
  });
});

function examples(count: number) {
  const draw = createRandom(0, "examples");
  const pixels = Float32Array.from({ length: count * 256 }, () => draw.uniform());
  const inputs = createTensor("f32", [count, 1, 16, 16], pixels);
  return createDataSet(inputs, new Int32Array(count), { name: "noise", classes: 5 });
}

/** Widens an MLP of two hidden layers by doubling random units, whose outgoing weights are split at random. */
async function widen(
  network: Checkpoint,
  widths: readonly [number, number],
  seed: number,
): Promise<Checkpoint> {
  const draw = createRandom(seed, "widen");
  const read = async (name: string) => (await network.read(name)).data as Float32Array;
  const tensors = new Map<string, ReturnType<typeof createTensor>>();
  const inputs = 256;
  let before = {
    copies: Int32Array.from({ length: inputs }, (_, i) => i),
    shares: new Float32Array(inputs).fill(1),
  };
  for (const layer of [0, 1, 2]) {
    const bias = await read(`layers.${layer}.bias`);
    const weight = await read(`layers.${layer}.weight`);
    const narrow = bias.length;
    const fanIn = weight.length / narrow;
    const copies = Int32Array.from({ length: widths[layer] ?? narrow }, (_, j) =>
      j < narrow ? j : Math.floor(draw.uniform() * narrow),
    );
    const portions = Float32Array.from(copies, () => 0.2 + draw.uniform());
    const totals = new Float32Array(narrow);
    copies.forEach((unit, j) => {
      totals[unit] = (totals[unit] ?? 0) + (portions[j] ?? 0);
    });
    const wide = Float32Array.from({ length: copies.length * before.copies.length }, (_, k) => {
      const [o, i] = [Math.floor(k / before.copies.length), k % before.copies.length];
      return (weight[(copies[o] ?? 0) * fanIn + (before.copies[i] ?? 0)] ?? 0) * (before.shares[i] ?? 0);
    });
    tensors.set(`layers.${layer}.weight`, createTensor("f32", [copies.length, before.copies.length], wide));
    const biases = Float32Array.from(copies, (unit) => bias[unit] ?? 0);
    tensors.set(`layers.${layer}.bias`, createTensor("f32", [copies.length], biases));
    before = { copies, shares: portions.map((portion, j) => portion / (totals[copies[j] ?? 0] ?? 1)) };
  }
  return createCheckpoint(tensors);
}
