import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { measureBarrier } from "@isthmus/barrier";
import type { Checkpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  bindNetworks,
  createEvaluator,
  decodeGraph,
  describeScoring,
  encodeGraph,
  type Graph,
  readGraph,
  readLayersModel,
  scoreOutput,
  scoringOf,
} from "@isthmus/graph";
import { lossOfData, measureExampleLosses, train } from "@isthmus/training";
import { describe, expect, test } from "vitest";
import { openFilesOf } from "../../../test/helpers/open-files.ts";

const engine = createOnnxRuntimeEngine();

// Files that test/golden/generate-scoring.py wrote, with what PyTorch computes.
const FOLDER = fileURLToPath(new URL("../../../test/fixtures/scoring/", import.meta.url));
const SCORES = JSON.parse(readFileSync(`${FOLDER}scores.json`, "utf8")) as {
  readonly losses: readonly number[];
  readonly errors: readonly number[];
  readonly half: readonly number[];
};
const openFile = openFilesOf(FOLDER);
const data = await openDataSet(`safetensors:${FOLDER}examples.safetensors`);

/** The graph of a file, bound to both networks. */
async function openExport(file: string): Promise<{ graph: Graph; a: Checkpoint; b: Checkpoint }> {
  const both = [await openFile("a.safetensors"), await openFile("b.safetensors")];
  const { graph, networks } = await bindNetworks(await readGraph(`${FOLDER}${file}.onnx`), both);
  const [a, b] = networks.map(({ network }) => network);
  if (a === undefined || b === undefined) throw new Error("two networks were bound");
  return { graph, a, b };
}

/** Losses and errors at 0, 1/2 and 1 between both networks. */
async function measure({ graph, a, b }: { graph: Graph; a: Checkpoint; b: Checkpoint }) {
  const { points } = await measureBarrier({ graph, engine }, [a, b], data, { points: 3 });
  return { losses: points.map(({ loss }) => loss), errors: points.map(({ error }) => error) };
}

function expectPyTorch(
  { losses, errors }: Awaited<ReturnType<typeof measure>>,
  expected: readonly number[] = SCORES.losses,
  tolerance = 1e-6,
): void {
  for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(tolerance);
  expect(errors).toEqual(SCORES.errors);
}

const EXPORTERS = ["dynamo", "legacy"];
const named = (names: readonly string[]) =>
  names.flatMap((name) => EXPORTERS.map((exporter) => `${name}-${exporter}`));

describe("networks are scored as PyTorch scores them", () => {
  test.each(named(["softmax", "log-softmax", "features", "both", "pooled", "rows", "divided"]))(
    "%s",
    async (file) => {
      const opened = await openExport(file);
      expectPyTorch(await measure(opened));
      // No loss is attached to graphs before operator set 13.
      if ((opened.graph.opsets.get("") ?? 0) < 13) return;
      const losses = await measureExampleLosses({ graph: opened.graph, engine }, opened.a, data);
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      expect(mean).toBeCloseTo(SCORES.losses[0]!, 6);
    },
  );

  test("training takes the same steps whether a network ends in softmax or in its logarithm", async () => {
    const trained = async (file: string) => {
      const { graph, a } = await openExport(file);
      const options = { seed: 0, epochs: 2, batch: 16, optimizer: { kind: "sgd" } } as const;
      const { weights } = await train({ graph, engine }, a, data, { ...options, evaluationData: data });
      return (await weights.read("two.weight")).data as Float32Array;
    };
    const [one, other] = [await trained("softmax-dynamo"), await trained("log-softmax-dynamo")];
    for (const [i, x] of one.entries()) expect(Math.abs(x - other[i]!)).toBeLessThan(1e-6);
  });

  test.each(named(["half"]))("%s, fed f32", async (file) => {
    expectPyTorch(await measure(await openExport(file)), SCORES.half, 2e-3);
  });

  test("a LayersModel of Keras that ends in softmax", async () => {
    const [one, two] = [
      await readLayersModel(`${FOLDER}keras-a/model.json`),
      await readLayersModel(`${FOLDER}keras-b/model.json`),
    ];
    expectPyTorch(await measure({ graph: one.graph, a: one.checkpoint, b: two.checkpoint }));
    await one.checkpoint.close();
    await two.checkpoint.close();
  });
});

describe("scoringOf()", () => {
  const scoring = async (file: string) =>
    scoringOf("evaluate", { graph: (await openExport(file)).graph, engine }, data);

  test.each([
    ["softmax", "Softmax", 0],
    ["pooled", "Softmax", 0],
    ["rows", "Softmax", 0],
    ["divided", "Softmax", 0],
    ["log-softmax", undefined, 0],
    ["features", undefined, 1],
    ["both", "Softmax", 1],
  ])("finds the logits of %s", async (name, operator, others) => {
    for (const exporter of EXPORTERS) {
      const found = await scoring(`${name}-${exporter}`);
      expect([found.loss, found.operator, found.others.length]).toEqual(["cross-entropy", operator, others]);
      expect(found.logits === found.output.name).toBe(operator === undefined);
    }
  });

  test("an evaluator says how it scores", async () => {
    const { graph } = await openExport("softmax-dynamo");
    const evaluator = await createEvaluator({ graph, engine }, data);
    expect(evaluator.scoring).toEqual(await scoring("softmax-dynamo"));
    await evaluator.release();
  });

  test.each([
    ["sigmoid", /"sigmoid"|"\d+".* is made by Sigmoid, whose loss is the binary cross-entropy of each class/],
    ["across", /is made by Softmax over other axes than the classes, the last one; --logits "/],
    [
      "heads",
      /one output must be scored: ".*" \(f32 \[.*, 4\]\) and ".*" \(f32 \[.*, 4\]\) fit equally; name one by --logits/,
    ],
  ])("refuses %s, and says what to do", async (name, message) => {
    for (const exporter of EXPORTERS) {
      const { graph, a } = await openExport(`${name}-${exporter}`);
      await expect(createEvaluator({ graph, engine }, data)).rejects.toThrow(message);
      await expect(measureExampleLosses({ graph, engine }, a, data)).rejects.toThrow(message);
    }
  });

  test("refuses one number for each example, naming the binary cross-entropy", async () => {
    const { graph } = await openExport("softmax-dynamo");
    const one = { ...graph, outputs: graph.outputs.map((output) => ({ ...output, shape: ["n", 1] })) };
    await expect(createEvaluator({ graph: one, engine }, data)).rejects.toThrow(
      /has one number for each prediction; --loss binary-cross-entropy scores it by labels 0 and 1/,
    );
  });

  test("a named value is scored in place of all outputs, and a softmax that is named is seen through", async () => {
    for (const exporter of EXPORTERS) {
      const opened = await openExport(`sigmoid-${exporter}`);
      const [output] = opened.graph.outputs;
      const { inputs = [] } = opened.graph.nodes.find(({ outputs }) => outputs[0] === output?.name) ?? {};
      const scored = scoreOutput(opened.graph, inputs[0] ?? "");
      expectPyTorch(await measure({ ...opened, graph: scored }));
      expect(scored.outputs).toEqual(opened.graph.outputs);
      const both = await openExport(`both-${exporter}`);
      const [first, second] = both.graph.outputs;
      for (const name of [first?.name ?? "", second?.name ?? ""]) {
        expectPyTorch(await measure({ ...both, graph: scoreOutput(both.graph, name) }));
      }
    }
  });

  test("what was named stays named when a graph is encoded and decoded", async () => {
    const { graph } = await openExport("heads-dynamo");
    const scored = scoreOutput(graph, graph.outputs[1]?.name ?? "");
    expect(decodeGraph(encodeGraph(scored)).graph.scored).toBe(scored.scored);
    expect(decodeGraph(encodeGraph(graph)).graph).not.toHaveProperty("scored");
    expect(lossOfData(scored, data)).toMatchObject({ logits: scored.scored });
  });
});

describe("describeScoring()", () => {
  const lines = async (file: string) => describeScoring((await openExport(file)).graph, data);

  test("says which value is scored, if that is not plain", async () => {
    expect(await lines("log-softmax-dynamo")).toEqual([]);
    expect(await lines("softmax-dynamo")).toEqual([
      'Output "softmax" is made by Softmax: "linear_1", which it is made of, is scored, as the cross-entropy applies softmax itself.',
    ]);
    expect(await lines("features-dynamo")).toEqual([
      'Output "linear_1" is scored; --logits chooses another: relu.',
    ]);
  });

  test("says nothing of outputs that will be refused", async () => {
    expect(await lines("heads-legacy")).toEqual([]);
    expect(await lines("sigmoid-legacy")).toEqual([]);
  });
});
