import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { compareEnsembles, measureAttack } from "@isthmus/ensemble";
import { createClassifier, createEvaluator, type DataSet } from "@isthmus/graph";
import { measureSimilarity } from "@isthmus/similarity";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { discoverSymmetries } from "@isthmus/symmetry";
import { lossOfData, measureExampleLosses, train } from "@isthmus/training";
import { matchActivations } from "@isthmus/weight-matching";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { batchNorm } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const labelled = randomExamples([5], { size: 40, classes: 3 });
const { inputs } = labelled.read(0, 40);
const dense = createTensor("f32", [40, 2, 2], new Float32Array(160));
const UNLABELLED: readonly (readonly [string, DataSet])[] = [
  ["none", createDataSet(inputs, undefined)],
  ["labels f32 [40, 2, 2]", createDataSet(inputs, dense)],
  ["labels f32 [40]", createDataSet(inputs, createTensor("f32", [40], new Float32Array(40)))],
];

const b = new GraphBuilder();
const hidden = b.op("Relu", [batchNorm(b, b.linear(b.input("x", [5]), "one", 5, 6), "norm", 6)]);
const graph = b.output(b.linear(hidden, "two", 6, 3)).build();
const [first, second] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
const architecture = { graph, engine };

describe.each(UNLABELLED)("data with %s", (_, data) => {
  it("can be used where no labels are needed, to the same result", async () => {
    const similarity = async (on: DataSet) => {
      const [one, other] = [first, second].map((network) => ({ ...architecture, network }));
      const { tables } = await measureSimilarity(one!, other!, on, { measures: ["linear-cka"] });
      return tables;
    };
    expect(await similarity(data)).toEqual(await similarity(labelled));
    const mean = async (on: DataSet) =>
      (await (await recalibrateBatchNorm(architecture, first, on)).read("norm.mean")).data;
    expect(await mean(data)).toEqual(await mean(labelled));
    const symmetries = await discoverSymmetries(architecture);
    const match = async (on: DataSet) =>
      (await matchActivations({ ...architecture, symmetries }, [first, second], on)).objective;
    expect(await match(data)).toEqual(await match(labelled));
  });

  it("is refused where classes are needed, saying what it has instead", async () => {
    const message =
      /labels must be classes, one whole number .*: its labels are f32 \[40.*\].*; .*similarity, |as it has no labels: add a class for each example, such as y beside x in an npz file/;
    await expect(createEvaluator(architecture, data)).rejects.toThrow(message);
    await expect(createClassifier(architecture, data)).rejects.toThrow(message);
    expect(() => lossOfData(graph, data)).toThrow(message);
    await expect(measureExampleLosses(architecture, first, data)).rejects.toThrow(message);
    await expect(train(architecture, first, data, { seed: 0, epochs: 1, batch: 10 })).rejects.toThrow(
      message,
    );
    await expect(compareEnsembles(architecture, [first, second], data)).rejects.toThrow(message);
    const networks = { sources: [{ name: "a", networks: [first] }], targets: [second] };
    await expect(measureAttack(architecture, networks, data)).rejects.toThrow(message);
  });
});
