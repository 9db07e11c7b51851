import { type Checkpoint, createCheckpoint, createRandom } from "@isthmus/core";
import { createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createEvaluator,
  createTemperedEvaluator,
  type DataSet,
  fitTemperature,
  type Graph,
} from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";

const engine = createOnnxRuntimeEngine();
const CLASSES = 4;

/** Logits that are the inputs times a weight. */
function scaling(): Graph {
  const b = new GraphBuilder();
  return b.output(b.op("Mul", [b.input("x", [CLASSES]), b.weight("factor", [1])])).build();
}

const times = (factor: number) =>
  createCheckpoint(
    new Map([["factor", { dtype: "f32" as const, shape: [1], data: Float32Array.of(factor) }]]),
  );

const examples = (size: number, seed: number): DataSet =>
  randomExamples([CLASSES], { size, classes: CLASSES, seed, name: `examples ${seed}` });

const data = examples(57, 3);

async function evaluate(
  network: Checkpoint,
  { graph = scaling(), fitted, ...on }: { graph?: Graph; data?: DataSet; fitted?: DataSet } = {},
) {
  const sets = { data: on.data ?? data, ...(fitted && { fitted }) };
  const [evaluator, plain] = await Promise.all([
    createTemperedEvaluator({ graph, engine }, sets, { batchSize: 10 }),
    createEvaluator({ graph, engine }, sets.data, { batchSize: 10 }),
  ]);
  try {
    const { tempered, ...evaluation } = await evaluator.evaluate(network);
    expect(evaluation).toEqual(await plain.evaluate(network));
    return { tempered, evaluation };
  } finally {
    await Promise.all([evaluator.release(), plain.release()]);
  }
}

describe("createTemperedEvaluator()", () => {
  test("evaluates as createEvaluator() does, and never higher with the temperature", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -4, max: 4 }), fc.nat({ max: 99 }), async (power, seed) => {
        const { tempered, evaluation } = await evaluate(times(2 ** power), { data: examples(30, seed) });
        expect(tempered.loss).toBeLessThanOrEqual(evaluation.loss + 1e-12);
        expect(tempered.losses).toHaveLength(30);
        const sum = tempered.losses.reduce((total, loss) => total + loss, 0);
        expect(sum / 30).toBeCloseTo(tempered.loss, 12);
      }),
      { numRuns: 15 },
    );
  });

  test("says of a network with larger logits the same", async () => {
    const labelled = { data: labelledBy(2) };
    const [one, two] = [await evaluate(times(1), labelled), await evaluate(times(8), labelled)];
    expect(two.tempered.temperature / one.tempered.temperature).toBeCloseTo(8, 6);
    expect(two.tempered.loss).toBeCloseTo(one.tempered.loss, 9);
    expect(two.evaluation.loss).toBeGreaterThan(1.5 * one.evaluation.loss);
    expect(one.tempered.fitted).toEqual({ data: "examples 11", examples: 300 });
  });

  test("fits the temperature to other examples, if there are some", async () => {
    const fitted = labelledBy(1);
    const { inputs, labels } = fitted.read(0, fitted.size);
    const temperature = fitTemperature([{ logits: inputs.data as Float32Array, labels }]);
    const { tempered } = await evaluate(times(1), { fitted });
    expect(tempered.temperature).toBeCloseTo(temperature, 9);
    expect(tempered.fitted).toEqual({ data: "examples 11", examples: 300 });
    const atThat = await evaluate(times(1 / tempered.temperature), { fitted });
    expect(atThat.evaluation.loss).toBeCloseTo(tempered.loss, 6);
  });

  test("fits the mean over examples of the mean over tokens, and has perplexities, too", async () => {
    const text = createTextDataSet(markovText(300, 0), { context: 12 });
    const { graph, initialize } = parseNetwork("gpt:d1:w16:h2", text);
    const { tempered, evaluation } = await evaluate(initialize(0), { graph, data: text });
    expect(tempered.loss).toBeLessThan(evaluation.loss);
    // All windows are full, so that tokens and windows weigh the same.
    expect(tempered.perplexity).toBeCloseTo(Math.exp(tempered.loss), 9);
  });
});

/** Examples whose labels are drawn from the softmax of the inputs, times a factor. */
function labelledBy(factor: number): DataSet {
  const drawn = examples(300, 11);
  const random = createRandom(0, "labels");
  const logits = drawn.read(0, 300).inputs.data as Float32Array;
  const labels = Int32Array.from({ length: 300 }, (_, i) => {
    const row = [...logits.subarray(i * CLASSES, (i + 1) * CLASSES)];
    const weights = row.map((logit) => Math.exp(factor * logit));
    let rest = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    const label = weights.findIndex((weight) => {
      rest -= weight;
      return rest <= 0;
    });
    return Math.max(0, label);
  });
  return {
    ...drawn,
    read: (begin, end) => ({ ...drawn.read(begin, end), labels: labels.slice(begin, end) }),
  };
}
