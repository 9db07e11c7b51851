import { readFileSync } from "node:fs";
import { gradient } from "@isthmus/autodiff";
import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { batchNorm, conv, GraphBuilder, gemm, reduceMean, relu, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import {
  attachLoss,
  createTrainingStep,
  type LossSpec,
  learningRateAt,
  type OptimizerSpec,
  type ScheduleSpec,
} from "@isthmus/training";
import { describe, expect, test } from "vitest";
import { integers, numbersOf, runSteps } from "../../../test/helpers/run-steps.ts";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";

interface Trained {
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

/** What PyTorch computes, in f64. */
const golden: {
  readonly losses: readonly {
    readonly loss: LossSpec;
    readonly value: number;
    readonly gradient: number[];
  }[];
  readonly updates: readonly (Trained & { readonly optimizer: OptimizerSpec; readonly norms?: number[] })[];
  readonly batchNorm: Trained;
  readonly schedules: readonly { schedule: ScheduleSpec; totalSteps: number; rates: number[] }[];
} = JSON.parse(readFileSync(new URL("../../../test/golden/training.json", import.meta.url), "utf8"));

const engine = createOnnxRuntimeEngine();
const STEPS = 5;

/** Largest difference between numbers; NaN if any is. */
function distance(got: readonly number[], expected: readonly number[]): number {
  expect(got.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN))));
}

describe.each(golden.schedules)("$schedule", ({ schedule, totalSteps, rates }) => {
  test("learningRateAt() equals PyTorch's scheduler", () => {
    const got = rates.map((_, step) => learningRateAt(schedule, step, totalSteps));
    // Its closed forms are chained over steps there.
    expect(distance(got, rates)).toBeLessThan(1e-10);
  });
});

/** A graph whose logits or predictions are what it is fed. */
function echo(spec: LossSpec): { graph: Graph; feeds: Map<string, Tensor>; logits: string } {
  const builder = new GraphBuilder("echo", 21);
  const [shape, seed, scale] =
    spec.kind === "next-token"
      ? [[3, 4, 5], 2, 3]
      : spec.kind === "cross-entropy"
        ? [[4, 5], 1, 3]
        : [[4, 5], 3, 2];
  const logits = builder.weight("w", { dtype: "f32", shape: shape as number[] });
  const isTokens = spec.kind === "next-token";
  builder.input("x", isTokens ? { dtype: "i64", shape: [3, 4] } : { dtype: "f32", shape: [4, 5] });
  const feeds = new Map([["w", waves(shape as number[], seed as number, scale as number)]]);
  if (spec.kind === "cross-entropy") feeds.set("labels", integers([4, 0, 2, 2]));
  if (isTokens) feeds.set("x", integers([3, 0, 1, 4, 2, 2, 1, 0, 4, 3, 3, 1], "i64", [3, 4]));
  else feeds.set("x", waves([4, 5], 0, 1));
  feeds.set("targets", waves([4, 5], 4, 1));
  const counted = Float32Array.of(1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0);
  feeds.set("targetWeights", { dtype: "f32", shape: [3, 4], data: counted });
  return { graph: builder.build([builder.rename(logits, "y")]), feeds, logits: "w" };
}

describe.each(golden.losses)("$loss", ({ loss: spec, value, gradient: expected }) => {
  test("attachLoss() equals PyTorch's loss and gradient", async () => {
    const { graph, feeds } = echo(spec);
    const objective = attachLoss(graph, spec);
    const both = gradient(objective.graph, { loss: objective.loss, withRespectTo: ["w"] });
    const session = await engine.load(both, { threads: 1 });
    const results = await session.run(feeds);
    await session.release();
    expect(Math.abs(Number(results.get(objective.loss)?.data[0]) - value)).toBeLessThan(1e-6);
    const got = numbersOf(results.get(gradientName(objective.loss, "w")) as Tensor);
    expect(distance(got, expected)).toBeLessThan(1e-6);
  });
});

describe.each(golden.updates)("$optimizer", ({ optimizer, losses, weights, norms = [] }) => {
  test("createTrainingStep() updates as PyTorch does", async () => {
    const step = await createTrainingStep(twoLayerMlp(), engine, {
      batch: 6,
      loss: { kind: "cross-entropy" },
      optimizer,
    });
    const result = await runSteps(step, {
      steps: STEPS,
      weights: twoLayerWeights(1, 0.8),
      feedsAt: (count) =>
        new Map([
          ["x", waves([6, 5], 10 + count, 1.5)],
          ["labels", integers(Array.from({ length: 6 }, (_, i) => (i + count) % 3))],
        ]),
      rateAt: (count) => 0.1 * (1 - 0.1 * count),
    });
    expect(distance(result.losses, losses)).toBeLessThan(1e-5);
    expect(
      distance(
        result.metrics.flatMap(({ gradientNorm }) => gradientNorm ?? []),
        norms,
      ),
    ).toBeLessThan(1e-5);
    for (const [name, expected] of Object.entries(weights)) {
      // Adam divides by roots of squared gradients, which magnifies their rounding.
      expect(distance(numbersOf(result.carried.get(name) as Tensor), expected)).toBeLessThan(2e-5);
    }
  });
});

describe("batch norm in training", () => {
  const shapes: Readonly<Record<string, readonly number[]>> = {
    "conv.weight": [4, 2, 3, 3],
    "norm.weight": [4],
    "norm.bias": [4],
    "head.weight": [3, 4],
  };

  function smallCnn(opset: number): Graph {
    const builder = new GraphBuilder("cnn", opset);
    const x = builder.input("x", { dtype: "f32", shape: [3, 2, 5, 5] });
    const [kernel, scale, bias, head] = Object.entries(shapes).map(([name, shape]) =>
      builder.weight(name, { dtype: "f32", shape }),
    ) as [Value, Value, Value, Value];
    const statistic = (name: string) => builder.weight(name, { dtype: "f32", shape: [4] }, "statistic");
    const [mean, variance] = [statistic("norm.running_mean"), statistic("norm.running_var")];
    const h = batchNorm(conv(x, kernel, { pads: [1, 1, 1, 1] }), { scale, bias, mean, variance });
    return builder.build([gemm(reduceMean(relu(h), { axes: [2, 3] }), head, { transB: true })]);
  }

  test.each([17, 21])(
    "createTrainingStep() trains as PyTorch does, statistics included; opset %d",
    async (opset) => {
      const step = await createTrainingStep(smallCnn(opset), engine, {
        batch: 3,
        loss: { kind: "cross-entropy" },
        optimizer: { kind: "sgd", momentum: 0.9 },
      });
      const weights = Object.entries(shapes).map(([name, shape], k): [string, Tensor] => [
        name,
        waves(shape, k + 1, 0.5, name === "norm.weight" ? 1 : 0),
      ]);
      const { losses, weights: expected } = golden.batchNorm;
      const result = await runSteps(step, {
        steps: STEPS,
        weights: new Map([
          ...weights,
          ["norm.running_mean", waves([4], 8, 0.3)],
          ["norm.running_var", waves([4], 9, 0.3, 1)],
        ]),
        feedsAt: (count) =>
          new Map([
            ["x", waves([3, 2, 5, 5], 20 + count, 1.2)],
            ["labels", integers([0, 1, 2].map((i) => (i + count) % 3))],
          ]),
      });
      expect(distance(result.losses, losses)).toBeLessThan(1e-5);
      expect([...result.carried.keys()]).toEqual(expect.arrayContaining(Object.keys(expected)));
      for (const [name, numbers] of Object.entries(expected)) {
        expect(distance(numbersOf(result.carried.get(name) as Tensor), numbers), name).toBeLessThan(2e-5);
      }
    },
  );
});
