import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createEvaluator,
  type Graph,
  type Loss,
  type LossesOfOutputs,
  scoreBy,
  specialize,
} from "@isthmus/graph";
import { GraphBuilder, mul, reduceMean, sub } from "@isthmus/graph/builder";
import {
  lossOfData,
  measureExampleLosses,
  measureGradient,
  type TrainedLoss,
  train,
} from "@isthmus/training";
import { describe, expect, test } from "vitest";
import {
  LOSSES_OF_HEADS,
  openScored,
  SCORED_CASES,
  SCORED_NETWORKS,
} from "../../../test/helpers/scored-networks.ts";

const engine = createOnnxRuntimeEngine();

async function open(name: string, exporter: string, loss?: Loss) {
  const { graph, networks, data } = await openScored(name, exporter);
  return { graph: scoreBy(graph, loss), network: networks[0], data };
}

describe("losses are those of PyTorch", () => {
  test.each(SCORED_CASES)("%s of the exporter %s by %s", async (name, exporter, kind, loss) => {
    const { graph, network, data } = await open(name, exporter, loss);
    const { losses, gradient } = SCORED_NETWORKS[`${name} ${kind}`]!;
    const measured = await measureExampleLosses({ graph, engine }, network, data, { batch: 5 });
    const mean = measured.reduce((sum, value) => sum + value, 0) / measured.length;
    expect(Math.abs(mean / losses[0]! - 1)).toBeLessThan(1e-5);
    const derivatives = await measureGradient({ graph, engine }, network, data);
    const bias = (await derivatives.read("last.bias")).data as Float32Array;
    expect(bias.length).toBe(gradient.length);
    for (const [i, expected] of gradient.entries()) expect(Math.abs(bias[i]! - expected)).toBeLessThan(2e-7);
  });
});

describe("train()", () => {
  test.each(SCORED_CASES)(
    "%s of the exporter %s, by %s, to a lower loss",
    async (name, exporter, kind, loss) => {
      const { graph, network, data } = await open(name, exporter, loss);
      const options = { seed: 0, epochs: 2, batch: 8, optimizer: { kind: "adam" } } as const;
      const schedule = { kind: "constant", learningRate: 0.003 } as const;
      const { weights, result } = await train({ graph, engine }, network, data, {
        ...options,
        schedule,
        evaluationData: data,
      });
      const evaluator = await createEvaluator({ graph, engine }, data);
      const [before, after] = [await evaluator.evaluate(network), await evaluator.evaluate(weights)];
      await evaluator.release();
      expect(after.loss).toBeLessThan(before.loss);
      expect(Math.abs(result.evaluation!.loss / after.loss - 1)).toBeLessThan(1e-6);
      if (Number.isNaN(after.error)) expect(result.evaluation).not.toHaveProperty("accuracy");
      else expect(result.evaluation!.accuracy).toBe(1 - after.error);
      expect(result.lossKind).toBe(["cross-entropy", "masked-token"].includes(kind) ? undefined : kind);
    },
  );

  test("takes the name of a loss", async () => {
    const { graph, network, data } = await open("regression", "dynamo");
    const options = { seed: 0, epochs: 1, batch: 8 };
    const trained = async (architecture: Graph, loss?: "mean-absolute-error") => {
      const { weights } = await train({ graph: architecture, engine }, network, data, {
        ...options,
        ...(loss && { loss }),
      });
      return (await weights.read("last.bias")).data;
    };
    const named = await trained(graph, "mean-absolute-error");
    expect(await trained(scoreBy(graph, "mean-absolute-error"))).toEqual(named);
    expect(await trained(graph)).not.toEqual(named);
  });

  test.each<readonly [Loss, RegExp]>([
    [
      () => [0],
      /by the loss function of graph .* as a function has no gradients: let the graph compute it by GraphBuilder/,
    ],
    ["none", /something must be minimised: name a loss/],
  ])("refuses a loss that has no objective: %o", async (loss, message) => {
    const { graph, network, data } = await open("regression", "dynamo", loss);
    await expect(train({ graph, engine }, network, data, { seed: 0, epochs: 1 })).rejects.toThrow(message);
  });

  test("several outputs by names, as a graph that names them, in every way to train and to score", async () => {
    const { graph, network, data } = await open("heads", "legacy");
    const scored = scoreBy(graph, LOSSES_OF_HEADS);
    const options = { seed: 0, epochs: 2, batch: 8, curriculum: { order: "easy-first" } } as const;
    const trained = async (architecture: Graph, loss?: TrainedLoss) => {
      const result = await train({ graph: architecture, engine }, network, data, {
        ...options,
        ...(loss && { loss }),
      });
      return (await result.weights.read("one.weight")).data;
    };
    const named = await trained(scored);
    expect(await trained(graph, LOSSES_OF_HEADS)).toEqual(named);
    expect(await trained(graph, { kind: "several", outputs: LOSSES_OF_HEADS })).toEqual(named);
    expect(await trained(graph, lossOfData(scored, data))).toEqual(named);
    const { losses } = SCORED_NETWORKS["heads several"]!;
    const doubled = { ...LOSSES_OF_HEADS, numbers: { loss: "mean-squared-error", weight: 2 } } as const;
    const both = await measureExampleLosses({ graph, engine }, network, data, { loss: doubled });
    const numbers = await measureExampleLosses({ graph, engine }, network, data, {
      loss: { numbers: "mean-squared-error" },
    });
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(both) - mean(numbers)).toBeCloseTo(losses[0]!, 6);
  });

  test("an output may be called as the key that describes a loss", async () => {
    const { graph, network, data } = await open("heads", "dynamo");
    const rename = (name: string) => (name === "numbers" ? "kind" : name);
    const nodes = graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map(rename) }));
    const { types: _, ...rest } = graph;
    const outputs = graph.outputs.map((output) => ({ ...output, name: rename(output.name) }));
    const renamed = { ...rest, nodes, outputs };
    const loss = {
      kind: { loss: "mean-squared-error", targets: "numbers" },
      labels: "binary-cross-entropy",
    } as const;
    const [one, other] = [
      await measureExampleLosses({ graph: renamed, engine }, network, data, { loss }),
      await measureExampleLosses({ graph, engine }, network, data, { loss: LOSSES_OF_HEADS }),
    ];
    for (const [i, expected] of other.entries()) expect(one[i]).toBeCloseTo(expected, 6);
  });

  test("several outputs are refused if a label is no class, or the loss of an output has none", async () => {
    const { graph, network, data } = await open("heads", "dynamo");
    const run = (loss: LossesOfOutputs) =>
      train({ graph, engine }, network, data, { seed: 0, epochs: 1, batch: 8, loss });
    await expect(run({ lost: "mean-squared-error" })).rejects.toThrow(
      /Cannot score output "lost" .* the outputs are "labels"/,
    );
    await expect(run({ numbers: "cross-entropy" })).rejects.toThrow(
      /labels of classes must be whole numbers: "numbers" is f32/,
    );
  });

  test("a loss of one's own, which the graph computes, trains as the loss of that name", async () => {
    const { graph, network, data } = await open("regression", "dynamo");
    const builder = GraphBuilder.from(await specialize({ graph, engine }, { batch: 8 }));
    const [name = ""] = graph.outputs.map((output) => output.name);
    const targets = builder.input("labels", { dtype: "f32", shape: [8, 3] });
    const off = sub(builder.value(name), targets);
    const own = builder.build([builder.value(name), builder.rename(reduceMean(mul(off, off)), "mine")]);
    const options = { seed: 0, epochs: 2, batch: 8 };
    const loss = { kind: "output", output: "mine", targets: "labels" } as const;
    const bias = async (architecture: Graph, minimised: TrainedLoss) => {
      const { weights } = await train({ graph: architecture, engine }, network, data, {
        ...options,
        loss: minimised,
      });
      return (await weights.read("last.bias")).data;
    };
    expect(await bias(own, loss)).toEqual(await bias(graph, "mean-squared-error"));
  });

  test("refuses numbers without a target, and images that would move away from their labels", async () => {
    const { graph, network, data } = await open("regression", "dynamo");
    const { inputs } = data.read(0, 8);
    const targets = createTensor("f32", [8, 3], new Float32Array(24).fill(Number.NaN, 23));
    const lacking = createDataSet(inputs, targets);
    const options = { seed: 0, epochs: 1, batch: 8 };
    await expect(
      train({ graph, engine }, network, lacking, { ...options, loss: "mean-squared-error" }),
    ).rejects.toThrow(/each number must have a target: number \d+ of a batch has none/);
    const images = await open("segmentation", "dynamo");
    await expect(
      train({ graph: images.graph, engine }, images.network, images.data, {
        ...options,
        augment: { flip: true },
      }),
    ).rejects.toThrow(/labels must not depend on places in them: each pixel has one/);
  });
});

test("lossOfData() says which axis holds the classes of pixels", async () => {
  const { graph, data } = await open("segmentation", "legacy");
  expect(lossOfData(graph, data)).toEqual({ kind: "cross-entropy", weighted: true, classAxis: 1 });
});
