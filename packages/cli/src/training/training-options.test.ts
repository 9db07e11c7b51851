import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet, Graph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { type TrainingFlags, trainingOptions } from "./training-options.ts";

const images = graphOf({ name: "x", dtype: "f32", shape: ["N", 4] }, ["N", 10]);
const rows = createDataSet(createTensor("f32", [95, 4], new Float32Array(380)), new Int32Array(95));

function graphOf(input: object, output: readonly (number | string)[]): Graph {
  const outputs = [{ name: "y", dtype: "f32", shape: output }];
  return {
    name: "net",
    inputs: [input],
    outputs,
    nodes: [{ op: "Identity", domain: "", inputs: [], outputs: [] }],
    weights: new Map(),
  } as unknown as Graph;
}

const flags: TrainingFlags = {
  seed: 1,
  epochs: 3,
  batch: 10,
  optimizer: "sgd",
  schedule: "cosine",
  warmup: 0,
  threads: 0,
  saveEvery: 0,
};

const resolve = (more: Partial<TrainingFlags>, graph: Graph = images, data: DataSet = rows) =>
  trainingOptions({ ...flags, ...more }, { graph, data });

describe("trainingOptions()", () => {
  it("trainingOptions() has the defaults that the help names", () => {
    expect(resolve({})).toMatchObject({
      remainder: "carry",
      loss: { kind: "cross-entropy" },
      optimizer: { kind: "sgd", momentum: 0.9, nesterov: false },
      schedule: { kind: "cosine", learningRate: 0.05, warmupSteps: 0 },
      augment: { crop: 0, flip: false },
    });
    expect(resolve({ optimizer: "adamw" })).toMatchObject({
      optimizer: { kind: "adamw" },
      schedule: { learningRate: 0.001 },
    });
  });

  it("trainingOptions() completes the loss that flags name for graph and data", () => {
    expect(resolve({ loss: "cross-entropy", labelSmoothing: 0.1 }).loss).toEqual({
      kind: "cross-entropy",
      labelSmoothing: 0.1,
    });
    expect(resolve({ labelSmoothing: 0.1 }).loss).toEqual({ kind: "cross-entropy", labelSmoothing: 0.1 });
    expect(resolve({ loss: "mean-squared-error" }).loss).toEqual({ kind: "mean-squared-error" });
  });

  it("trainingOptions() counts the epochs between two falls in steps", () => {
    const schedule = { schedule: "step", stepEvery: 2, stepFactor: 0.5 } as const;
    expect(resolve(schedule).schedule).toMatchObject({ kind: "step", every: 19, factor: 0.5 });
    expect(resolve({ ...schedule, dropLast: true }).schedule).toMatchObject({ every: 18 });
  });

  it("trainingOptions() puts SAM around the optimiser, which keeps its rules", () => {
    expect(resolve({ sam: 0.1, clip: 1, weightDecay: 1e-4, momentum: 0 }).optimizer).toEqual({
      kind: "sam",
      rho: 0.1,
      base: { kind: "sgd", momentum: 0, nesterov: false, weightDecay: 1e-4, clipNorm: 1 },
    });
    expect(resolve({ sam: true, optimizer: "adam" }).optimizer).toEqual({
      kind: "sam",
      base: { kind: "adam" },
    });
  });

  it("trainingOptions() refuses flags that do not go together", () => {
    const cases: [Partial<TrainingFlags>, RegExp][] = [
      [{ optimizer: "adam", nesterov: true }, /--nesterov belongs to sgd: the optimizer is adam/],
      [{ schedule: "step" }, /give --step-every EPOCHS/],
      [{ stepFactor: 0.5 }, /belong to --schedule step: it is cosine/],
      [{ loss: "mean-squared-error", labelSmoothing: 0.1 }, /the loss is mean-squared-error/],
    ];
    for (const [more, message] of cases) expect(() => resolve(more)).toThrow(message);
  });
});
