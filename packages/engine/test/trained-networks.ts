import { createRandom, entry, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type Engine, type Graph, randomInputs, specialize } from "@isthmus/graph";
import { attachLoss, type LossSpec, toTrainingMode } from "@isthmus/training";
import { type NetworkShape, parseNetwork } from "@isthmus/zoo";
import { expect } from "vitest";

/** The native engine, which the others are compared with. */
export const onnxruntime = createOnnxRuntimeEngine();

const IMAGES: NetworkShape = { exampleShape: [1, 16, 16], classes: 10 };
const TOKENS: NetworkShape = { exampleShape: [6], classes: 11 };

/** A network of the zoo, what it is fed, and its loss. */
export type Case = readonly [spec: string, shape: NetworkShape, loss: LossSpec];

/** Networks that plain JavaScript computes in little time, too. */
export const SMALL: readonly Case[] = [
  ["mlp:12x3:gelu", IMAGES, { kind: "cross-entropy", labelSmoothing: 0.1 }],
  ["gpt:d1:w8:h2:f12", TOKENS, { kind: "next-token" }],
];

/** Small networks of every family of the zoo, with every kind of norm. */
export const NETWORKS: readonly Case[] = [
  ...SMALL,
  ["vgg:11:w0.0625", { exampleShape: [1, 32, 32], classes: 10 }, { kind: "cross-entropy" }],
  ["resnet8:w0.25", IMAGES, { kind: "cross-entropy" }],
  ["resnet8:w0.25:layer", IMAGES, { kind: "cross-entropy" }],
  ["resnet8:w0.25:group", IMAGES, { kind: "cross-entropy" }],
  ["vit:p4:d2:w16:h2:f24", IMAGES, { kind: "cross-entropy" }],
  ["llama:d2:w16:h4:kv2:f24", TOKENS, { kind: "next-token", labelSmoothing: 0.1 }],
];

/** Runs a graph once. */
export async function runOn(engine: Engine, graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.load(graph);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Returns the training graph of a network with its loss attached, and inputs, labels and weights to feed it. */
export async function objectiveOf([spec, shape, loss]: Case) {
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
export function shake(feeds: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
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
export function expectEqual(
  got: ReadonlyMap<string, Tensor>,
  wanted: ReadonlyMap<string, Tensor>,
  tolerance = 1e-4,
): void {
  expect([...got.keys()]).toEqual([...wanted.keys()]);
  const largest = Math.max(...[...wanted.values()].map(largestOf));
  for (const [name, tensor] of wanted) {
    const data = entry(got, name, "output").data;
    const scale = Math.max(largestOf(tensor), 1e-2 * largest);
    let worst = 0;
    tensor.data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(Number(value) - Number(data[i])));
    });
    expect(got.get(name)?.shape).toEqual(tensor.shape);
    expect.soft(worst / scale, name).toBeLessThan(tolerance);
  }
}

function largestOf({ data }: Tensor): number {
  let largest = 0;
  data.forEach((value) => {
    largest = Math.max(largest, Math.abs(Number(value)));
  });
  return largest;
}
