import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet, Graph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { batchOf, type TrainingFlags, trainingOptions } from "./training-options.ts";

const images = graphOf({ name: "x", dtype: "f32", shape: ["N", 4] }, ["N", 10]);
const tokens = graphOf({ name: "ids", dtype: "i64", shape: ["N", 8] }, ["N", 8, 5]);
const rows = createDataSet(createTensor("f32", [95, 4], new Float32Array(380)), new Int32Array(95));
const texts = createDataSet(createTensor("i64", [95, 8], new BigInt64Array(760)), new Int32Array(95));

function graphOf(input: object, output: readonly (number | string)[], op = "Identity"): Graph {
  const outputs = [{ name: "y", dtype: "f32", shape: output }];
  return {
    name: "net",
    inputs: [input],
    outputs,
    nodes: [{ op, domain: "", inputs: [] }],
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

  it("trainingOptions() predicts the next token where the graph does", () => {
    expect(resolve({}, tokens, texts).loss).toEqual({ kind: "next-token" });
    expect(resolve({ loss: "cross-entropy" }, tokens, texts).loss).toEqual({ kind: "cross-entropy" });
    expect(resolve({ labelSmoothing: 0.1 }, tokens, texts).loss).toEqual({
      kind: "next-token",
      labelSmoothing: 0.1,
    });
  });

  it("trainingOptions() leaves out of the loss what labels of positions leave out", () => {
    const labels = createTensor(
      "i64",
      [2, 8],
      BigInt64Array.from({ length: 16 }, (_, i) => (i < 3 ? -100n : 1n)),
    );
    const some = createDataSet(createTensor("i64", [2, 8], new BigInt64Array(16)), labels);
    expect(resolve({ batch: 2 }, tokens, some).loss).toEqual({ kind: "cross-entropy", weighted: true });
  });

  it("batchOf() is what a graph of a fixed batch takes, and says why another is refused", () => {
    const fixed = (batch: number, op?: string) =>
      graphOf({ name: "x", dtype: "f32", shape: [batch, 4] }, [batch, 10], op);
    expect(batchOf({}, images)).toBe(128);
    expect(batchOf({ batch: 5 }, images)).toBe(5);
    expect(batchOf({}, fixed(2))).toBe(2);
    expect(batchOf({ batch: 2 }, fixed(2))).toBe(2);
    expect(() => batchOf({ batch: 3 }, fixed(2))).toThrow(
      /--batch 3 as graph "net" was exported for batches of 2/,
    );
    expect(batchOf({}, fixed(1))).toBe(1);
    expect(() => batchOf({}, fixed(1, "BatchNormalization"))).toThrow(/must see several examples at once/);
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
