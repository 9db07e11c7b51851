import { createRandom, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it, test } from "vitest";
import { markovText, unigramEntropy } from "../../../test/helpers/markov-text.ts";

const engine = createOnnxRuntimeEngine();

/** Images of some classes, each a pattern of its own under noise. */
function patterns(shape: readonly number[], classes: number, examples: number): DataSet {
  const random = createRandom(1, "patterns");
  const size = sizeOf(shape);
  const pattern = Array.from({ length: classes }, () =>
    Float32Array.from({ length: size }, () => random.normal()),
  );
  const labels = Int32Array.from({ length: examples }, (_, i) => i % classes);
  const data = new Float32Array(examples * size);
  labels.forEach((label, i) => {
    for (let j = 0; j < size; j++) data[i * size + j] = (pattern[label]?.[j] ?? 0) + 0.5 * random.normal();
  });
  const inputs: Tensor = createTensor("f32", [examples, ...shape], data);
  return createDataSet(inputs, labels, { name: "patterns" });
}

const images = patterns([1, 8, 8], 4, 64);
const large = patterns([1, 66, 66], 4, 16);
const text = createTextDataSet(markovText(2000, 0), { context: 12 });

describe("networks of every family", () => {
  test.each([
    ["mlp:16x2", images],
    ["mlp:16:gelu:drop0.1", images],
    ["vgg:1-1:w0.125", images],
    ["vgg:1-1:w0.125:layer:drop0.2", images],
    ["vgg:1-1:w0.25:group", images],
    ["vgg:11:w0.125:none", large],
    ["resnet8:w0.5", images],
    ["resnet8:w0.5:layer", images],
    ["resnet8:group", images],
    ["resnet18:w0.0625", large],
    ["resnet50:w0.0625", images],
    ["vit:p4:d2:w16:h2:drop0.1", images],
    ["gpt:d2:w16:h2:drop0.1", text],
    ["gpt:d1:w16:h2:untied", text],
    ["llama:d2:w16:h4:kv2", text],
    ["llama:d1:w16:h2:tied", text],
  ])("train() lowers the loss of %s", async (spec, data) => {
    const { graph, initialize } = parseNetwork(spec, data);
    const kind = data === text ? ("next-token" as const) : ("cross-entropy" as const);
    const { result } = await train({ graph, engine }, initialize(0), data, {
      seed: 0,
      epochs: data === large ? 12 : 4,
      batch: 16,
      loss: { kind },
      optimizer: { kind: "adam" },
      schedule: { kind: "constant", learningRate: spec.includes("none") ? 0.001 : 0.01 },
    });
    const losses = result.epochs.map(({ loss }) => loss);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(0.85 * (losses[0] ?? 0));
  });
});

it("train() takes the loss of a one-layer character GPT below the entropy of single characters", async () => {
  const characters = markovText(20_000, 3);
  const [data, evaluationData] = (["train", "test"] as const).map((split) =>
    createTextDataSet(characters, { context: 32, split }),
  ) as [DataSet, DataSet];
  const { graph, initialize } = parseNetwork("gpt:d1:w32:h4", data);
  const { result } = await train({ graph, engine }, initialize(1), data, {
    evaluationData,
    seed: 1,
    epochs: 4,
    batch: 16,
    loss: { kind: "next-token" },
    optimizer: { kind: "adamw" },
    schedule: { kind: "cosine", learningRate: 0.01 },
  });
  const entropy = unigramEntropy(characters);
  const last = result.epochs.at(-1)?.evaluation?.loss ?? Number.POSITIVE_INFINITY;
  expect(entropy).toBeGreaterThan(2.5);
  // Half of it: it cannot be met without the context.
  expect(last).toBeLessThan(entropy / 2);
});
