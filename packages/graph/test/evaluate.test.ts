import { createCheckpoint, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createEvaluator,
  type DataSet,
  type EvaluatorOptions,
  type Graph,
  randomWeights,
  scoreOutput,
} from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 57;
const CLASSES = 4;

/** Conv, batch norm, relu, flatten, linear: what an engine rewrites when weights are constants. */
function cnn(): Graph {
  const b = new GraphBuilder();
  const x = b.conv(b.input("x", [2, 4, 4]), "conv", [2, 5]);
  const y = b.op("Relu", [batchNorm(b, x, "norm", 5)]);
  return b.output(b.linear(b.reshape(y, 0, -1), "head", 80, CLASSES)).build();
}

/** Logits that are the inputs. */
function identity(classes = CLASSES): Graph {
  const b = new GraphBuilder();
  return b.output(b.op("Mul", [b.input("x", [classes]), b.weight("one", [1])])).build();
}

const one = new Map([["one", { dtype: "f32" as const, shape: [1], data: Float32Array.of(1) }]]);

const examples = (shape: readonly number[]): DataSet =>
  randomExamples(shape, { size: EXAMPLES, classes: CLASSES });

const evaluate = (
  graph: Graph,
  data: DataSet,
  {
    weights = randomWeights(graph, 3),
    ...options
  }: EvaluatorOptions & { weights?: Map<string, Tensor> } = {},
) => evaluateNetwork({ graph, data }, weights, { threads: 1, ...options });

describe("createEvaluator()", () => {
  test("evaluate() is the cross entropy of the logits", async () => {
    const data = examples([CLASSES]);
    const { inputs, labels } = data.read(0, EXAMPLES);
    const logits = inputs.data as Float32Array;
    const result = await evaluate(identity(), data, { weights: one });
    let wrong = 0;
    labels.forEach((label, i) => {
      const row = [...logits.subarray(i * CLASSES, (i + 1) * CLASSES)];
      const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
      expect(result.losses[i]).toBeCloseTo(-Math.log(Math.exp(row[label]!) / total), 12);
      if (row.indexOf(Math.max(...row)) !== label) wrong++;
    });
    expect(result.error).toBe(wrong / EXAMPLES);
    expect(result.loss).toBeCloseTo(result.losses.reduce((sum, loss) => sum + loss, 0) / EXAMPLES, 14);
    expect(result.examples).toBe(EXAMPLES);
    expect([...result.right]).toEqual(expect.arrayContaining([0, 1]));
  });

  test.each([1, 7, 57, 1000])("evaluate() gives the same in batches of %d", async (batchSize) => {
    const data = examples([2, 4, 4]);
    const reference = await evaluate(cnn(), data, { bake: false });
    for (const bake of [false, true]) {
      const result = await evaluate(cnn(), data, { batchSize, bake });
      result.losses.forEach((loss, i) => {
        // Kernels for other batch sizes, and norms folded into convolutions, round f32 in other places.
        expect(Math.abs(loss - reference.losses[i]!)).toBeLessThan(1e-5);
      });
      expect(result.error).toBe(reference.error);
    }
  });

  test("evaluate() gives the same bits again", async () => {
    const data = examples([2, 4, 4]);
    const evaluator = await createEvaluator({ graph: cnn(), engine }, data, { batchSize: 10 });
    const other = randomWeights(cnn(), 4);
    const weights = randomWeights(cnn(), 3);
    const first = await evaluator.evaluate(createCheckpoint(weights));
    const between = await evaluator.evaluate(createCheckpoint(other));
    expect(await evaluator.evaluate(createCheckpoint(weights))).toEqual(first);
    expect(between.loss).not.toBe(first.loss);
    await evaluator.release();
  });

  test("evaluate() of a network that gives NaN has a loss of NaN and nothing right", async () => {
    const nan = new Map([["one", { dtype: "f32" as const, shape: [1], data: Float32Array.of(Number.NaN) }]]);
    const result = await evaluate(identity(), examples([CLASSES]), { weights: nan });
    expect(result).toMatchObject({ loss: Number.NaN, error: 1 });
  });

  test("evaluate() stops when it is told to", async () => {
    const evaluator = await createEvaluator({ graph: identity(), engine }, examples([CLASSES]));
    const aborted = evaluator.evaluate(createCheckpoint(one), AbortSignal.abort());
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    await evaluator.release();
  });

  test("evaluate() refuses labels beyond the classes of the graph", async () => {
    const run = evaluate(identity(3), examples([3]), { weights: one });
    await expect(run).rejects.toMatchObject({ _tag: "InputError", input: "random" });
    await expect(run).rejects.toThrow(/labels must be below the 3 classes of the graph: the largest is 3/);
  });

  test("evaluate() refuses outputs that are not logits of classes", async () => {
    const b = new GraphBuilder();
    const graph = b.output(b.op("Mul", [b.input("x", [2, 2]), b.weight("one", [1])])).build();
    const run = evaluate(graph, examples([2, 2]), { weights: one });
    await expect(run).rejects.toThrow(
      /the output that is scored by classes must be logits \[examples, classes\], or .*: got f32 \[57, 2, 2\] for f32 \[57, 2, 2\]/,
    );
  });

  test("evaluate() names a weight that it is not given", async () => {
    for (const bake of [false, true]) {
      const run = evaluate(identity(), examples([CLASSES]), { weights: new Map(), bake });
      await expect(run).rejects.toThrow(/lacks 1 of 1 weights: "one"/);
    }
  });

  test("refuses examples of another shape, or another type", async () => {
    const wrong = createEvaluator({ graph: identity(), engine }, examples([CLASSES + 1]));
    await expect(wrong).rejects.toMatchObject({ _tag: "InputError", input: "random" });
    await expect(wrong).rejects.toThrow(/must fit the graph's input "x", f32 \[4\]: they are f32 \[5\]/);
    await expect(createEvaluator({ graph: identity(), engine }, examples([2, 2]))).rejects.toThrow(
      /f32 \[2, 2\]/,
    );
    const tokens = { dtype: "i64" as const, shape: [1, 4], data: new BigInt64Array(4) };
    const text = createDataSet(tokens, Int32Array.of(0));
    await expect(createEvaluator({ graph: identity(), engine }, text)).rejects.toThrow(/they are i64 \[4\]/);
  });

  test("refuses an empty data set", async () => {
    const empty = { ...examples([CLASSES]), size: 0 };
    await expect(createEvaluator({ graph: identity(), engine }, empty)).rejects.toThrow(
      /Cannot evaluate on "random" as it must have examples: it is empty/,
    );
  });

  test("refuses graphs of no data input, and names inputs that the data have nothing for", async () => {
    const graph = identity();
    const none = createEvaluator({ graph: { ...graph, inputs: [] }, engine }, examples([CLASSES]));
    await expect(none).rejects.toThrow(
      /Cannot evaluate graph "module" on "random" as it must have a data input/,
    );
    const two = {
      ...graph,
      inputs: [...graph.inputs, { name: "y", dtype: "f32" as const, shape: ["N", 3] }],
    };
    await expect(createEvaluator({ graph: two, engine }, examples([CLASSES]))).rejects.toThrow(
      /there is nothing for "y"; its inputs are "x" \(f32 \[N, 4\]\), "y" \(f32 \[N, 3\]\), the arrays "inputs" \(f32 \[N, 4\]\)/,
    );
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses batches of %d",
    async (batchSize) => {
      const run = createEvaluator({ graph: identity(), engine }, examples([CLASSES]), { batchSize });
      await expect(run).rejects.toThrow(RangeError);
      await expect(run).rejects.toThrow(
        `"batchSize" must be a whole number of at least 1: it is ${batchSize}`,
      );
    },
  );

  test.each([1, 10, 19, EXAMPLES, 60])(
    "runs a graph of a fixed batch of %d in its batches, the last one filled up",
    async (batch) => {
      const graph = {
        ...identity(),
        inputs: [{ name: "x", dtype: "f32" as const, shape: [batch, CLASSES] }],
      };
      const data = examples([CLASSES]);
      const free = await evaluate(identity(), data, { weights: one });
      expect(await evaluate(graph, data, { weights: one })).toEqual(free);
    },
  );

  test("scores the output that can be logits and is computed last, and another one if it is named", async () => {
    const graph = identity();
    const b = new GraphBuilder();
    const x = b.input("x", [CLASSES]);
    const total = b.op("ReduceSum", [x], { axes: [1], keepdims: 0 });
    const features = b.op("Mul", [x, b.weight("one", [1])]);
    const logits = b.op("Neg", [features]);
    const several = b.output(total).output(features).output(logits).build();
    const typed = {
      ...several,
      outputs: several.outputs.map((output, i) => ({
        ...output,
        dtype: "f32" as const,
        shape: i === 0 ? ["N"] : ["N", CLASSES],
      })),
    };
    const data = examples([CLASSES]);
    expect(await evaluate(scoreOutput(typed, features), data, { weights: one })).toEqual(
      await evaluate(graph, data, { weights: one }),
    );
    const last = await evaluate(typed, data, { weights: one });
    expect(last).toEqual(await evaluate(scoreOutput(typed, logits), data, { weights: one }));
    expect(last.loss).not.toBe((await evaluate(graph, data, { weights: one })).loss);
    expect(() => scoreOutput(typed, "lost")).toThrow(
      /"lost" of graph ".*" as it must be one of its values: the outputs are .*f32 \[N, 4\]\), the last values/,
    );
    const scalar = { ...typed, outputs: typed.outputs.map((output) => ({ ...output, shape: [] })) };
    expect(() => scoreOutput(scalar, total)).toThrow(/must be floating-point numbers of each example/);
  });
});
