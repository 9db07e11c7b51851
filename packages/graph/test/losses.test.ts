import { measureBarrier } from "@isthmus/barrier";
import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createClassifier,
  createEvaluator,
  decodeGraph,
  encodeGraph,
  type Graph,
  type Loss,
  limitExamples,
  lossOf,
  scoreBy,
  scoreOutput,
} from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import {
  LOSSES_OF_HEADS,
  openScored,
  SCORED_CASES,
  SCORED_NETWORKS,
  type ScoredFiles,
} from "../../../test/helpers/scored-networks.ts";

const engine = createOnnxRuntimeEngine();

// A token that is masked has a loss of its own even if none is named.
const exported = [
  ...SCORED_CASES,
  ...["dynamo", "legacy"].map((exporter) => ["encoder", exporter, "masked-token", undefined] as const),
];

describe("networks are scored as PyTorch scores them", () => {
  test.each(exported)("%s of the exporter %s by %s, if %o is named", async (name, exporter, kind, loss) => {
    const { graph, networks, data } = await openScored(name, exporter);
    const { points } = await measureBarrier({ graph: scoreBy(graph, loss), engine }, networks, data, {
      points: 3,
    });
    const { losses, errors } = SCORED_NETWORKS[`${name} ${kind}`]!;
    for (const [i, expected] of losses.entries()) {
      expect(Math.abs(points[i]!.loss / expected - 1)).toBeLessThan(1e-5);
    }
    const measured = points.map(({ error }) => error);
    if (errors === undefined) expect(measured).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    else for (const [i, expected] of errors.entries()) expect(measured[i]).toBeCloseTo(expected, 12);
  });

  test("each of several outputs, too", async () => {
    const { graph, networks, data } = await openScored("heads", "dynamo");
    const evaluate = async (loss: Loss) => {
      const evaluator = await createEvaluator({ graph, engine }, data, { loss });
      const evaluation = await evaluator.evaluate(networks[0]);
      await evaluator.release();
      return evaluation;
    };
    const { loss, outputs } = await evaluate(LOSSES_OF_HEADS);
    expect(Object.keys(outputs ?? {})).toEqual(["labels", "numbers"]);
    expect(outputs!["labels"]!.error).toBeLessThan(0.5);
    expect(outputs!["numbers"]!.error).toBeNaN();
    expect(loss).toBeCloseTo(outputs!["labels"]!.loss + outputs!["numbers"]!.loss, 12);
    const weighted = await evaluate({
      ...LOSSES_OF_HEADS,
      numbers: { loss: "mean-squared-error", weight: 3 },
    });
    expect(weighted.loss).toBeCloseTo(loss + 2 * outputs!["numbers"]!.loss, 12);
  });

  test("by a function", async () => {
    const { graph, networks, data } = await openScored("regression", "dynamo");
    const [name = ""] = graph.outputs.map((output) => output.name);
    const loss: Loss = (outputs, { features }) => {
      const [y, target] = [outputs.get(name)!.data, features!.get("labels")!.data] as Float32Array[];
      return Array.from({ length: y!.length / 3 }, (_, row) =>
        [0, 1, 2].reduce((sum, i) => sum + (y![3 * row + i]! - target![3 * row + i]!) ** 2 / 3, 0),
      );
    };
    for (const batchSize of [100, 7]) {
      const evaluator = await createEvaluator({ graph, engine }, data, { loss, batchSize });
      expect(evaluator.scoring.loss).toBe("function");
      const evaluation = await evaluator.evaluate(networks[0]);
      expect(evaluation.loss).toBeCloseTo(SCORED_NETWORKS["regression mean-squared-error"]!.losses[0]!, 6);
      expect(evaluation.error).toBeNaN();
      await evaluator.release();
    }
  });

  test("a graph of a fixed batch fills up the last one", async () => {
    for (const name of ["sigmoid", "segmentation"]) {
      const { graph, networks, data } = await openScored(name, "legacy");
      const fixed = {
        ...graph,
        inputs: graph.inputs.map((input) => ({ ...input, shape: [5, ...input.shape!.slice(1)] })),
      };
      const evaluate = async (batched: Graph) => {
        const evaluator = await createEvaluator({ graph: batched, engine }, data);
        const { losses, error } = await evaluator.evaluate(networks[0]);
        await evaluator.release();
        return { losses, error };
      };
      const [one, other] = [await evaluate(graph), await evaluate(fixed)];
      expect(other.error).toBe(one.error);
      for (const [i, loss] of one.losses.entries()) expect(other.losses[i]).toBeCloseTo(loss, 6);
    }
  });
});

describe("lossOf()", () => {
  test.each([
    ["sigmoid", "binary-cross-entropy", "nats", true],
    ["one-logit", "binary-cross-entropy", "nats", true],
    ["regression", "mean-squared-error", "squared units", false],
    ["segmentation", "cross-entropy", "nats", true],
    ["encoder", "cross-entropy", "nats", true],
  ])("follows from the labels of %s", async (name, kind, unit, hasError) => {
    const { graph, data } = await openScored(name, "dynamo");
    expect(lossOf(graph, data)).toEqual({ kind, unit, hasError });
  });

  test("does not follow if nothing has the shape of the output", async () => {
    const { graph, data } = await openScored("autoencoder", "dynamo");
    expect(() => lossOf(graph, data)).toThrow(
      /as it has no labels: add a class for each example.*or name a loss that needs none with --loss, such as mean-squared-error, which takes the input itself/,
    );
  });

  test("stays named when a graph is encoded and decoded, and changes its bytes only then", async () => {
    const { graph } = await openScored("heads", "dynamo");
    for (const loss of ["mean-squared-error", "none", LOSSES_OF_HEADS] as const) {
      expect(decodeGraph(encodeGraph(scoreBy(graph, loss))).graph.loss).toEqual(loss);
    }
    expect(decodeGraph(encodeGraph(graph)).graph).not.toHaveProperty("loss");
    expect(scoreBy(graph, undefined)).toBe(graph);
    const byFunction = encodeGraph(scoreBy(graph, () => [0]));
    expect(() => decodeGraph(byFunction)).toThrow(
      /a file must name it: it is a function; set it again by scoreBy/,
    );
  });
});

describe("losses are refused, saying what to do", () => {
  const evaluate = async (opened: ScoredFiles, loss?: Loss) => {
    const { graph, networks, data } = opened;
    const evaluator = await createEvaluator({ graph, engine }, data, { loss });
    try {
      return await evaluator.evaluate(networks[0]);
    } finally {
      await evaluator.release();
    }
  };

  test.each<readonly [string, string, Loss, RegExp]>([
    [
      "a sigmoid",
      "sigmoid",
      "cross-entropy",
      /its labels must be classes, one whole number for each example/,
    ],
    [
      "a softmax",
      "segmentation-softmax",
      "binary-cross-entropy",
      /is made by Softmax, whose classes exclude each other; --loss cross-entropy scores it, --logits ".*" scores what it is made of/,
    ],
    [
      "numbers that are no labels",
      "regression",
      "binary-cross-entropy",
      /labels must be from 0 to 1: one is .*; --loss mean-squared-error compares other numbers/,
    ],
    [
      "targets of another shape",
      "encoder",
      "mean-squared-error",
      /each number of the output, \[8, 16\] of an example/,
    ],
    ["nothing", "regression", "none", /nothing would be measured: name one of cross-entropy, .*; similarity/],
    [
      "an unknown one",
      "regression",
      "hinge" as Loss,
      /the loss must be cross-entropy, .*, a function, or one of these/,
    ],
    [
      "an output that is not there",
      "heads",
      { lost: "mean-squared-error" },
      /the outputs are "labels" .*"numbers"/,
    ],
    [
      "a weight of 0",
      "heads",
      { labels: { loss: "mean-squared-error", weight: 0 } },
      /must be above 0: it is 0/,
    ],
    [
      "labels that are not there",
      "heads",
      { labels: { loss: "mean-squared-error", targets: "lost" } },
      /there is no "lost" but "numbers", "labels"/,
    ],
    [
      "a function of too few losses",
      "regression",
      () => [1],
      /a loss for each of 24 examples: it returned 1/,
    ],
  ])("%s", async (_, name, loss, message) => {
    for (const exporter of ["dynamo", "legacy"]) {
      await expect(openScored(name, exporter).then((opened) => evaluate(opened, loss))).rejects.toThrow(
        message,
      );
    }
  });

  test("a sigmoid of classes, until its loss is named", async () => {
    const opened = await openScored("sigmoid", "dynamo");
    const { inputs } = opened.data.read(0, 24);
    const data = createDataSet(
      inputs,
      Int32Array.from({ length: 24 }, (_, i) => i % 3),
    );
    await expect(evaluate({ ...opened, data })).rejects.toThrow(
      /is made by Sigmoid, .*; --loss binary-cross-entropy scores it, --logits ".*" scores what/,
    );
    expect((await evaluate({ ...opened, data }, "binary-cross-entropy")).loss).toBeGreaterThan(0);
  });

  test("one number for more classes than two", async () => {
    const opened = await openScored("one-logit", "dynamo");
    const { inputs } = opened.data.read(0, 24);
    const data = createDataSet(
      inputs,
      Int32Array.from({ length: 24 }, (_, i) => i % 3),
    );
    await expect(evaluate({ ...opened, data })).rejects.toThrow(/must be logits \[examples, classes\]/);
    expect((await evaluate({ ...opened, data }, "mean-squared-error")).loss).toBeGreaterThan(0);
  });

  test("probabilities of classes, where the loss has none", async () => {
    const { graph, data } = await openScored("regression", "dynamo");
    await expect(createClassifier({ graph, engine }, data)).rejects.toThrow(
      /by the loss mean-squared-error as probabilities of classes are needed, which cross-entropy alone has/,
    );
  });

  test("an example of which nothing counts", async () => {
    const opened = await openScored("regression", "dynamo");
    const { inputs } = opened.data.read(0, 2);
    const targets = createTensor("f32", [2, 3], Float32Array.of(1, Number.NaN, 3, NaN, NaN, NaN));
    const data = createDataSet(inputs, targets);
    await expect(evaluate({ ...opened, data })).rejects.toThrow(/example 1 has none, .* or missing/);
    const one = await evaluate({ ...opened, data: limitExamples("evaluate", data, 1) });
    expect(one.loss).toBeGreaterThan(0);
  });

  test("an inner value is scored by any loss", async () => {
    const { graph, networks, data } = await openScored("sigmoid", "dynamo");
    const logits = graph.nodes.at(-1)?.inputs[0] ?? "";
    const named = scoreOutput(graph, logits);
    const one = await evaluate({ graph: named, networks, data }, "binary-cross-entropy");
    expect(one.loss).toBe((await evaluate({ graph, networks, data })).loss);
  });
});
