import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { measureFisher, measureGradient } from "@isthmus/training";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const engine = createOnnxRuntimeEngine();
const data = stripes(9);

/** Logits `W x + b` of 16 pixels and 3 classes, whose gradient has a simple form. */
function network(): Graph {
  const b = new GraphBuilder(17);
  const x = b.reshape(b.input("x", [1, 4, 4]), 0, 16);
  const inputs = [x, b.weight("l0.weight", [3, 16]), b.weight("l0.bias", [3])];
  return b.output(b.op("Gemm", inputs, { transB: 1 })).build("softmax");
}

const graph = network();
const weights = randomWeights(graph, 4);

const expectedFisher = (set: DataSet) => expectedMeans(set, (slope) => slope ** 2);

/**
 * Means of a function of the gradient: those of `-log softmax(W x + b)[label]` are `p - onehot`, and times `x` for
 * the weight.
 */
function expectedMeans(
  set: DataSet,
  of: (gradient: number) => number,
): { readonly weight: number[]; readonly bias: number[] } {
  const w = weights.get("l0.weight")!.data as Float32Array;
  const bias = weights.get("l0.bias")!.data as Float32Array;
  const sums = { weight: Array<number>(48).fill(0), bias: Array<number>(3).fill(0) };
  const { inputs, labels } = set.read(0, set.size);
  const pixels = inputs.data as Float32Array;
  for (let e = 0; e < set.size; e++) {
    const x = pixels.subarray(16 * e, 16 * e + 16);
    const logits = [0, 1, 2].map((c) => x.reduce((sum, value, k) => sum + w[16 * c + k]! * value, bias[c]!));
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for (const [c, logit] of logits.entries()) {
      const slope = Math.exp(logit) / total - (Number(labels[e]) === c ? 1 : 0);
      sums.bias[c]! += of(slope) / set.size;
      for (const [k, value] of x.entries()) sums.weight[16 * c + k]! += of(slope * value) / set.size;
    }
  }
  return sums;
}

const expectNear = (actual: Tensor, expected: readonly number[]) => {
  for (const [i, value] of expected.entries()) expect(Number(actual.data[i])).toBeCloseTo(value, 5);
};

describe("measureFisher()", () => {
  test("is the mean over examples of squared gradients of the log-likelihood", async () => {
    const shares: number[] = [];
    const fisher = await measureFisher({ graph, engine }, createCheckpoint(weights), data, {
      onProgress: ({ done }) => shares.push(done),
    });
    const expected = expectedFisher(data);
    expect([...fisher.tensors.keys()].sort()).toEqual(["l0.bias", "l0.weight"]);
    expect(fisher.tensors.get("l0.weight")).toMatchObject({ dtype: "f32", shape: [3, 16] });
    expectNear(await fisher.read("l0.weight"), expected.weight);
    expectNear(await fisher.read("l0.bias"), expected.bias);
    expect(shares).toEqual(Array.from({ length: 9 }, (_, i) => (i + 1) / 9));
  });

  test("refuses weights that give no finite gradients, and stops when asked", async () => {
    const broken = new Map(weights);
    broken.set("l0.bias", createTensor("f32", [3], Float32Array.of(Number.NaN, 0, 0)));
    await expect(measureFisher({ graph, engine }, createCheckpoint(broken), data)).rejects.toThrow(
      "gradients must be finite",
    );
    await expect(
      measureFisher({ graph, engine }, createCheckpoint(weights), data, { signal: AbortSignal.abort() }),
    ).rejects.toThrow(/abort/i);
  });
});

describe("measureGradient()", () => {
  test("is the mean over examples of the gradient of the loss", async () => {
    const gradient = await measureGradient({ graph, engine }, createCheckpoint(weights), data);
    expect(gradient.tensors.get("l0.weight")).toMatchObject({ dtype: "f32", shape: [3, 16] });
    const expected = expectedMeans(data, (slope) => slope);
    expectNear(await gradient.read("l0.bias"), expected.bias);
    expectNear(await gradient.read("l0.weight"), expected.weight);
  });

  test("names the weight whose gradient is not finite", async () => {
    const broken = new Map(weights);
    broken.set("l0.bias", createTensor("f32", [3], Float32Array.of(Number.NaN, 0, 0)));
    await expect(measureGradient({ graph, engine }, createCheckpoint(broken), data)).rejects.toThrow(
      /measure a gradient .* gradients must be finite: one of "l0\.(weight|bias)"/,
    );
  });
});
