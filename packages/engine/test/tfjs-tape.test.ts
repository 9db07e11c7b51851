import { gradient } from "@isthmus/autodiff";
import { createRandom, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import { bindWeights, type Engine, type Graph, randomInputs, specialize } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum } from "@isthmus/graph/builder";
import { attachLoss, type LossSpec, toTrainingMode } from "@isthmus/training";
import { type NetworkShape, parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";

const onnxruntime = createOnnxRuntimeEngine();

const IMAGES: NetworkShape = { exampleShape: [1, 16, 16], classes: 10 };
const TOKENS: NetworkShape = { exampleShape: [6], classes: 11 };

type Case = readonly [spec: string, shape: NetworkShape, loss: LossSpec];

const SMALL: readonly Case[] = [
  ["mlp:12x3:gelu", IMAGES, { kind: "cross-entropy", labelSmoothing: 0.1 }],
  ["gpt:d1:w8:h2:f12", TOKENS, { kind: "next-token" }],
];

/** Small networks of every family of the zoo, with every kind of norm. */
const NETWORKS: readonly Case[] = [
  ...SMALL,
  ["vgg:11:w0.0625", { exampleShape: [1, 32, 32], classes: 10 }, { kind: "cross-entropy" }],
  ["resnet8:w0.25", IMAGES, { kind: "cross-entropy" }],
  ["resnet8:w0.25:layer", IMAGES, { kind: "cross-entropy" }],
  ["resnet8:w0.25:group", IMAGES, { kind: "cross-entropy" }],
  ["vit:p4:d2:w16:h2:f24", IMAGES, { kind: "cross-entropy" }],
  ["llama:d2:w16:h4:kv2:f24", TOKENS, { kind: "next-token", labelSmoothing: 0.1 }],
];

async function runOn(engine: Engine, graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.load(graph);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** A network with its loss, as it is trained, and what to feed it. */
async function objectiveOf([spec, shape, loss]: Case) {
  const network = parseNetwork(spec, shape);
  const typed = await specialize({ graph: network.graph, engine: onnxruntime }, { batch: 3 });
  const mode = toTrainingMode(typed);
  const objective = attachLoss(mode.graph, loss);
  const feeds = new Map([
    ...randomInputs(objective.graph, 3, 5),
    ...(await bindWeights(network.graph, network.initialize(7))),
  ]);
  return { ...objective, feeds };
}

/** The same numbers moved about, so that weights that start at 0 or 1 do not hide gradients. */
function shake(feeds: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const random = createRandom(3);
  return new Map(
    [...feeds].map(([name, tensor]) => {
      if (tensor.dtype !== "f32" || name.includes("var")) return [name, tensor];
      const data = (tensor.data as Float32Array).map((value) => value + 0.05 * random.normal());
      return [name, { ...tensor, data }];
    }),
  );
}

/**
 * Largest difference relative to the largest element. Gradients that are 0 but for rounding, as of a bias that a norm takes
 * out again, are compared with a hundredth of the largest gradient of all: f32 resolves 1e-7 of that, so that less than 1e-6 of
 * it means nothing.
 */
function expectEqual(got: ReadonlyMap<string, Tensor>, wanted: ReadonlyMap<string, Tensor>): void {
  expect([...got.keys()]).toEqual([...wanted.keys()]);
  const largest = Math.max(...[...wanted.values()].map(largestOf));
  for (const [name, tensor] of wanted) {
    const data = got.get(name)!.data;
    const scale = Math.max(largestOf(tensor), 1e-2 * largest);
    let worst = 0;
    tensor.data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(Number(value) - Number(data[i])));
    });
    expect(got.get(name)?.shape).toEqual(tensor.shape);
    expect.soft(worst / scale, name).toBeLessThan(1e-4);
  }
}

function largestOf({ data }: Tensor): number {
  let largest = 0;
  data.forEach((value) => {
    largest = Math.max(largest, Math.abs(Number(value)));
  });
  return largest;
}

describe.each([
  ["wasm", NETWORKS],
  ["cpu", SMALL],
] as const)("loadWithTape() on tfjs-%s", async (backend, networks) => {
  const tfjs = await createTfjsEngine({ backend });

  it.each(networks.map((network) => [network[0], network] as const))(
    "gives the gradients of %s that gradient() gives, which both engines compute",
    async (_, network) => {
      const { graph, loss, feeds: plain } = await objectiveOf(network);
      const feeds = shake(plain);
      const parameters = [...graph.weights].filter(([, { role }]) => role === "parameter");
      const withRespectTo = parameters.map(([name]) => name);
      const differentiated = gradient(graph, { loss, withRespectTo });
      const wanted = await runOn(onnxruntime, differentiated, feeds);
      const session = await tfjs.loadWithTape!(graph, { loss, withRespectTo });
      expectEqual(await session.run(feeds), wanted);
      await session.release();
      expectEqual(await runOn(tfjs, differentiated, feeds), wanted);
    },
  );
});

describe("loadWithTape()", async () => {
  const tfjs = await createTfjsEngine();

  /** `loss = sum((x * w)²)`, and `unused`. */
  function square(): Graph {
    const builder = new GraphBuilder("square", 17);
    const x = builder.input("x", { dtype: "f32", shape: [2] });
    const w = builder.weight("w", { dtype: "f32", shape: [2] });
    builder.weight("unused", { dtype: "f32", shape: [3] });
    const y = builder.rename(mul(x, w), "y");
    return builder.build([builder.rename(reduceSum(mul(y, y)), "loss")]);
  }
  const f32 = (...values: number[]): Tensor => ({
    dtype: "f32",
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const feeds = new Map([
    ["x", f32(1, 2)],
    ["w", f32(3, -1)],
    ["unused", f32(0, 0, 0)],
  ]);

  it("differentiates by inputs and values that nodes compute, and gives zeros where there is no way", async () => {
    const graph = square();
    const options = { loss: "loss", withRespectTo: ["x", "y", "unused", "loss"] };
    const session = await tfjs.loadWithTape!(graph, options);
    const got = await session.run(feeds);
    await session.release();
    expect(
      Object.fromEntries([...got].map(([name, { data }]) => [name, [...(data as Float32Array)]])),
    ).toEqual({
      loss: [13],
      "d(loss)/d(x)": [18, 4],
      "d(loss)/d(y)": [6, -4],
      "d(loss)/d(unused)": [0, 0, 0],
      "d(loss)/d(loss)": [1],
    });
    expectEqual(got, await runOn(onnxruntime, gradient(graph, options), feeds));
  });

  it("refuses a loss that is no scalar, unknown values, and graphs without types", async () => {
    const graph = square();
    const load = (loss: string, ...withRespectTo: string[]) =>
      tfjs.loadWithTape!(graph, { loss, withRespectTo });
    await expect(load("y", "x")).rejects.toMatchObject({ _tag: "MismatchError", parameters: ["y"] });
    await expect(load("loss", "nothing")).rejects.toMatchObject({ _tag: "MismatchError" });
    const { types: _, ...untyped } = graph;
    const bare = tfjs.loadWithTape!(untyped, { loss: "loss", withRespectTo: ["x"] });
    await expect(bare).rejects.toMatchObject({ _tag: "MismatchError" });
  });
});
