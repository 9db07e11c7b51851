import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createEvaluator,
  type DataSet,
  describeScoring,
  type Graph,
  type Loss,
  lossOf,
  scoreBy,
} from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

const engine = createOnnxRuntimeEngine();
const network = createCheckpoint(new Map([["one", createTensor("f32", [1], Float32Array.of(1))]]));

/** Returns a graph whose outputs are its input, transposed if an order of axes is given. */
function echo(
  shape: readonly number[],
  {
    names = ["y"],
    order = shape.map((_, i) => i),
  }: { names?: readonly string[]; order?: readonly number[] } = {},
): Graph {
  const b = new GraphBuilder();
  const x = b.input("x", [...shape.slice(1)]);
  const outputs = names.map(() =>
    b.op("Transpose", [b.op("Mul", [x, b.weight("one", [1])])], { perm: [...order] }),
  );
  for (const output of outputs) b.output(output);
  const graph = b.build();
  const renamed = new Map(outputs.map((output, i) => [output, names[i]!]));
  const nodes = graph.nodes.map((node) => ({
    ...node,
    outputs: node.outputs.map((output) => renamed.get(output) ?? output),
  }));
  const declared = ["N", ...order.slice(1).map((axis) => shape[axis]!)];
  return {
    ...graph,
    nodes,
    outputs: names.map((name) => ({ name, dtype: "f32" as const, shape: declared })),
  };
}

async function evaluate(graph: Graph, data: DataSet, loss?: Loss) {
  const evaluator = await createEvaluator({ graph, engine }, data, { loss });
  try {
    return await evaluator.evaluate(network);
  } finally {
    await evaluator.release();
  }
}

const floats = (shape: readonly number[], values: readonly number[]): Tensor =>
  createTensor("f32", shape, Float32Array.from(values));
const whole = (shape: readonly number[], values: readonly number[]): Tensor =>
  createTensor("i32", shape, Int32Array.from(values));
const softplus = (x: number) => Math.log(1 + Math.exp(x));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("labels of pixels", () => {
  const logits = [3, 0, -1, 2, 1, 1, 0, -2, 0, 4, 1, 1];

  test("are compared with the second axis, or with the last where channels are last", async () => {
    const labels = whole([1, 2, 2], [0, 2, -100, 1]);
    // Three classes of four pixels, of which the third does not count.
    const pixel = (i: number) => [logits[i]!, logits[4 + i]!, logits[8 + i]!];
    const crossEntropy = (i: number, label: number) =>
      Math.log(pixel(i).reduce((sum, x) => sum + Math.exp(x), 0)) - pixel(i)[label]!;
    const first = createDataSet(floats([1, 3, 2, 2], logits), labels);
    expect(first).toMatchObject({ labelling: "pixel", classes: 3 });
    const expected = mean([crossEntropy(0, 0), crossEntropy(1, 2), crossEntropy(3, 1)]);
    const result = await evaluate(echo([1, 3, 2, 2]), first);
    expect(result.loss).toBeCloseTo(expected, 6);
    expect(result.error).toBeCloseTo(1 / 3, 12);
    expect(result).not.toHaveProperty("perplexity");
    const last = createDataSet(floats([1, 2, 2, 3], [0, 1, 2, 3].flatMap(pixel)), labels);
    expect(last.labelling).toBe("pixel");
    expect((await evaluate(echo([1, 2, 2, 3]), last)).losses).toEqual(result.losses);
  });

  test("0 and 1 are scored by one logit for each pixel", async () => {
    const data = createDataSet(floats([1, 1, 2, 2], [3, 0.5, -1, 2]), whole([1, 1, 2, 2], [1, 0, -1, 0]));
    const graph = echo([1, 1, 2, 2]);
    expect(lossOf(graph, data).kind).toBe("binary-cross-entropy");
    const { loss, error } = await evaluate(graph, data);
    expect(loss).toBeCloseTo(mean([softplus(-3), softplus(0.5), softplus(2)]), 6);
    expect(error).toBeCloseTo(2 / 3, 12);
  });

  test("beyond the classes are refused, saying how pixels are left out", async () => {
    const data = createDataSet(floats([1, 3, 2, 2], logits), whole([1, 2, 2], [0, 2, 255, 1]));
    await expect(evaluate(echo([1, 3, 2, 2]), data)).rejects.toThrow(
      /labels must be below the 3 classes of the graph: the largest is 255; pixels that do not count must have negative/,
    );
  });
});

describe("labels of several outputs", () => {
  test("are arrays of the data by the names of the outputs, or as they say", async () => {
    const x = floats([2, 3], [2, 0, -1, 1, 3, 0]);
    const features = new Map([
      ["class", whole([2], [0, 2])],
      ["numbers", floats([2, 3], [1, 1, 1, 1, 1, 1])],
    ]);
    const data = createDataSet(x, Int32Array.of(1, 1), { features });
    const graph = echo([2, 3], { names: ["class", "also", "number"] });
    const { outputs, loss, losses } = await evaluate(graph, data, {
      class: "cross-entropy",
      also: { loss: "cross-entropy", weight: 2 },
      number: { loss: "mean-squared-error", targets: "numbers", weight: 0.5 },
    });
    const alone = async (labels: Int32Array) => (await evaluate(echo([2, 3]), createDataSet(x, labels))).loss;
    const [one, other] = [await alone(Int32Array.of(0, 2)), await alone(Int32Array.of(1, 1))];
    const squares = mean([1, 1, 4, 0, 4, 1]);
    expect(outputs!["class"]).toEqual({ loss: one, error: 0.5 });
    expect(outputs!["also"]).toEqual({ loss: other, error: 0.5 });
    expect(outputs!["number"]).toEqual({ loss: expect.closeTo(squares, 12), error: Number.NaN });
    expect(loss).toBeCloseTo(one + 2 * other + squares / 2, 12);
    expect(loss).toBeCloseTo(mean([...losses]), 12);
    await expect(
      evaluate(graph, data, { class: { loss: "cross-entropy", targets: "numbers" } }),
    ).rejects.toThrow(/labels of classes must be whole numbers: "numbers" is f32/);
  });
});

test("describeScoring() says that a sigmoid is seen through", () => {
  const b = new GraphBuilder();
  const graph = b.output(b.op("Sigmoid", [b.op("Mul", [b.input("x", [3]), b.weight("one", [1])])])).build();
  const data = createDataSet(floats([1, 3], [1, 2, 3]), floats([1, 3], [0, 1, 0]));
  const [line] = describeScoring(scoreBy(graph, "binary-cross-entropy"), data);
  expect(line).toMatch(
    /is made by Sigmoid: ".*", which it is made of, is scored, as the binary cross-entropy applies/,
  );
});
