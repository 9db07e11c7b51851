import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet, Graph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { chooseBatch, chooseTrainOptions } from "./resolve-train-options.ts";
import type { TrainOptions } from "./train-options.ts";

const images = graphOf({ name: "x", dtype: "f32", shape: ["N", 4] }, ["N", 10]);
const tokens = graphOf({ name: "ids", dtype: "i64", shape: ["N", 8] }, ["N", 8, 5]);
const rows = createDataSet(createTensor("f32", [95, 4], new Float32Array(380)), new Int32Array(95));
const texts = createDataSet(createTensor("i64", [95, 8], new BigInt64Array(760)), new Int32Array(95));

function graphOf(input: object, output: readonly (number | string)[], op = "Identity"): Graph {
  return {
    name: "net",
    inputs: [input],
    outputs: [{ name: "y", dtype: "f32", shape: output }],
    nodes: [{ op, domain: "", inputs: [], outputs: [] }],
    weights: new Map(),
  } as unknown as Graph;
}

const choose = (options: Partial<TrainOptions>, graph: Graph = images, data: DataSet = rows) =>
  chooseTrainOptions({ graph, data }, options);

describe("chooseTrainOptions()", () => {
  it("chooseTrainOptions() chooses the learning rate by the optimiser, within SAM, too", () => {
    const rate = (optimizer: TrainOptions["optimizer"]) =>
      choose({ ...(optimizer && { optimizer }) }).schedule;
    expect(rate(undefined)).toEqual({ kind: "cosine", learningRate: 0.05 });
    expect(rate({ kind: "adamw" })).toEqual({ kind: "cosine", learningRate: 0.001 });
    expect(rate({ kind: "sam", base: { kind: "adam" } })).toEqual({ kind: "cosine", learningRate: 0.001 });
    const schedule = { kind: "constant", learningRate: 1 } as const;
    expect(choose({ schedule, optimizer: { kind: "adam" } }).schedule).toBe(schedule);
  });

  it("chooseTrainOptions() predicts the next token where the graph does", () => {
    expect(choose({}).loss).toEqual({ kind: "cross-entropy" });
    expect(choose({}, tokens, texts).loss).toEqual({ kind: "next-token" });
    expect(choose({ loss: { kind: "cross-entropy" } }, tokens, texts).loss).toEqual({
      kind: "cross-entropy",
    });
    expect(choose({ loss: { labelSmoothing: 0.1 } }, tokens, texts).loss).toEqual({
      kind: "next-token",
      labelSmoothing: 0.1,
    });
  });

  it("chooseTrainOptions() leaves out of the loss what labels of positions leave out, and keeps what the loss says", () => {
    const labels = createTensor(
      "i64",
      [2, 8],
      BigInt64Array.from({ length: 16 }, (_, i) => (i < 3 ? -100n : 1n)),
    );
    const some = createDataSet(createTensor("i64", [2, 8], new BigInt64Array(16)), labels);
    expect(choose({}, tokens, some).loss).toEqual({ kind: "cross-entropy", weighted: true });
    const loss = { kind: "cross-entropy", weighted: false, logits: "y" } as const;
    expect(choose({ loss }, tokens, some).loss).toEqual(loss);
    const computed = { kind: "output", output: "y" } as const;
    expect(choose({ loss: computed }, tokens, some).loss).toBe(computed);
  });
});

describe("chooseBatch()", () => {
  it("chooseBatch() is at most all examples, unless another is asked for or the graph takes no other", () => {
    expect(choose({}).batch).toBe(95);
    expect(choose({ batch: 128 }).batch).toBe(128);
    expect(chooseBatch(images, undefined, { size: 500 })).toBe(128);
    expect(chooseBatch(images, undefined, { size: 0 })).toBe(1);
    const fixed = graphOf({ name: "x", dtype: "f32", shape: [100, 4] }, [100, 10]);
    expect(choose({}, fixed).batch).toBe(100);
  });

  it("chooseBatch() is what a graph of a fixed batch takes, and says why another is refused", () => {
    const fixed = (batch: number, op?: string) =>
      graphOf({ name: "x", dtype: "f32", shape: [batch, 4] }, [batch, 10], op);
    expect(chooseBatch(images, undefined)).toBe(128);
    expect(chooseBatch(images, 5)).toBe(5);
    expect(chooseBatch(fixed(2), undefined)).toBe(2);
    expect(chooseBatch(fixed(2), 2)).toBe(2);
    expect(() => chooseBatch(fixed(2), 3)).toThrow(
      /by batches of 3 as graph "net" was exported for batches of 2/,
    );
    expect(chooseBatch(fixed(1), undefined)).toBe(1);
    expect(() => chooseBatch(fixed(1, "BatchNormalization"), undefined)).toThrow(
      /must see several examples at once/,
    );
  });
});
