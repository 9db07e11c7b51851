import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { attackExamples, compareEnsembles } from "@isthmus/ensemble";
import { bindArchitecture, readGraph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { openFilesOf } from "../../../test/helpers/open-files.ts";

// Files that test/golden/generate-scoring.py wrote, with what NumPy computes of the mean of the probabilities.
const FOLDER = fileURLToPath(new URL("../../../test/fixtures/scoring/", import.meta.url));
const SCORES = JSON.parse(readFileSync(`${FOLDER}scores.json`, "utf8")) as {
  readonly losses: readonly number[];
  readonly ensemble: { readonly nll: number; readonly ece: number; readonly brier: number };
};
const openFile = openFilesOf(FOLDER);
const data = await openDataSet(`safetensors:${FOLDER}examples.safetensors`);

/** The architecture of a file, and both networks as it takes them. */
async function open(file: string) {
  const both = [await openFile("a.safetensors"), await openFile("b.safetensors")];
  const { graph, weights } = await readGraph(`${FOLDER}${file}.onnx`);
  const architecture = { graph, carried: weights, engine: createOnnxRuntimeEngine() };
  const bound = await bindArchitecture(architecture, both);
  return { ...bound, networks: bound.networks.map(({ network }) => network) };
}

describe("networks that end in softmax", () => {
  it.each(["softmax-dynamo", "softmax-legacy", "pooled-legacy", "features-dynamo"])(
    "have the calibration of an ensemble that NumPy computes: %s",
    async (file) => {
      const { networks, ...architecture } = await open(file);
      const { predictors } = await compareEnsembles(architecture, networks, data, {});
      const mean = predictors.find(({ name }) => name === "ensemble of all");
      expect(mean?.nll).toBeCloseTo(SCORES.ensemble.nll, 6);
      expect(mean?.ece).toBeCloseTo(SCORES.ensemble.ece, 6);
      expect(mean?.brier).toBeCloseTo(SCORES.ensemble.brier, 6);
    },
  );

  it("are attacked through their logits: as the network that ends in its log-softmax is", async () => {
    const attacked = async (file: string) => {
      const { networks, ...architecture } = await open(file);
      const source = { name: "a", networks: networks.slice(0, 1) };
      return (await attackExamples(architecture, source, data, { epsilon: 0.1, steps: 3 })).data;
    };
    expect(await attacked("softmax-dynamo")).toEqual(await attacked("log-softmax-dynamo"));
  });
});
