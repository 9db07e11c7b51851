import { createRandom, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights } from "@isthmus/graph";
import { createTrainingStep, type LossSpec, type OptimizerSpec } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { integers, runSteps } from "../../../test/helpers/run-steps.ts";

const engine = createOnnxRuntimeEngine();
const BATCH = 4;
const CLASSES = 5;
const STEPS = 12;

const images = { exampleShape: [3, 8, 8], classes: CLASSES };
const tokens = { exampleShape: [6], classes: CLASSES };

function feedsOf(shape: readonly number[], isTokens: boolean): ReadonlyMap<string, Tensor> {
  const random = createRandom(0, "examples");
  const full = [BATCH, ...shape];
  const count = sizeOf(full);
  const x: Tensor = isTokens
    ? integers(
        Array.from({ length: count }, () => random.integer(CLASSES)),
        "i64",
        full,
      )
    : { dtype: "f32", shape: full, data: Float32Array.from({ length: count }, () => random.normal()) };
  const labels = integers(Array.from({ length: BATCH }, (_, i) => i % CLASSES));
  return new Map([
    ["x", x],
    ["labels", labels],
  ]);
}

describe.each([
  ["mlp:8x2", images, 0.05],
  ["vgg:1-1:w0.0625:drop0.3", images, 0.05],
  ["resnet8:w0.25", images, 0.05],
  ["resnet8:w0.25:layer", images, 0.05],
  ["resnet8:w0.5:group", images, 0.05],
  ["resnet18:w0.0625", images, 0.02],
  ["vit:d1:w16:h2:p4:drop0.1", images, 0.05],
  ["gpt:d1:w16:h2", tokens, 0.1],
  ["llama:d1:w16:h4:kv2", tokens, 0.1],
] as const)("%s", (spec, shape, rate) => {
  const isTokens = shape === tokens;
  const loss: LossSpec = { kind: isTokens ? "next-token" : "cross-entropy" };
  const descend: OptimizerSpec = { kind: "sgd", momentum: 0.9, clipNorm: 5 };
  test.each<OptimizerSpec>([descend, { kind: "sam", base: descend }])(
    "createTrainingStep() lowers the loss of batches seen again by %o",
    async (optimizer) => {
      const { graph, initialize } = parseNetwork(spec, shape);
      const step = await createTrainingStep(graph, engine, { batch: BATCH, loss, optimizer });
      const feeds = new Map(feedsOf(shape.exampleShape, isTokens));
      feeds.set(step.examples, feeds.get("x") as Tensor);
      const ones = ({ shape: of }: { shape: readonly number[] }) => new Float32Array(sizeOf(of)).fill(1);
      for (const mask of step.masks)
        feeds.set(mask.name, { dtype: "f32", shape: mask.shape, data: ones(mask) });
      const { losses } = await runSteps(step, {
        steps: STEPS,
        weights: await bindWeights(graph, initialize(0)),
        feedsAt: () => feeds,
        rateAt: () => rate,
      });
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.9);
    },
  );
});
