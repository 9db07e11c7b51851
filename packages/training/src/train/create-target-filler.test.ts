import { createTensor, type DType } from "@isthmus/core";
import type { Batch, Graph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import type { TrainingStep } from "../step/training-step.ts";
import { createTargetFiller } from "./create-target-filler.ts";

const batch: Batch = {
  inputs: createTensor("f32", [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6)),
  labels: Int32Array.of(2, 0, 1),
};

/** A step with targets of this type. */
function stepWith(dtype: DType, shape: readonly number[], more: Partial<TrainingStep> = {}): TrainingStep {
  const graph = {
    name: "net",
    inputs: [],
    types: new Map([["targets", { dtype, shape }]]),
  } as unknown as Graph;
  const nothing = {
    ...{ carried: [], scalars: [], masks: [], metrics: new Map() },
    ...{ references: new Map(), corrections: new Map(), weightMasks: new Map() },
  };
  return { graph, batch: 3, examples: "x", targets: "targets", loss: "loss", ...nothing, ...more };
}

describe("createTargetFiller()", () => {
  it("createTargetFiller() makes labels, rows or the examples of a batch, as the step wants them", () => {
    const cases: [DType, number[], readonly (number | bigint)[]][] = [
      ["i64", [3], [2n, 0n, 1n]],
      ["f32", [3, 4], [0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0]],
      ["f32", [3, 2], [1, 2, 3, 4, 5, 6]],
    ];
    for (const [dtype, shape, expected] of cases) {
      const { targets, fill } = createTargetFiller(stepWith(dtype, shape), batch, { classes: 3 });
      fill();
      expect(targets).toMatchObject({ dtype, shape });
      expect([...targets.data]).toEqual(expected);
      fill();
      expect([...targets.data]).toEqual(expected);
    }
  });

  it("createTargetFiller() refuses labels of no class", () => {
    for (const label of [-1, 3]) {
      const wrong = { ...batch, labels: Int32Array.of(0, label, 0) };
      for (const step of [stepWith("i64", [3]), stepWith("f32", [3, 3])]) {
        const { fill } = createTargetFiller(step, wrong, { classes: 3 });
        expect(fill).toThrow(`its labels must be classes from 0 to 2: one is ${label}`);
      }
    }
  });

  it("createTargetFiller() refuses targets that labelled examples cannot give", () => {
    expect(() => createTargetFiller(stepWith("f32", [3, 5, 5]), batch, { classes: 3 })).toThrow(
      /targets must be labels \[batch\] or \[batch, length\], rows \[batch, classes\] or the examples: "targets" is f32 \[3, 5, 5\]/,
    );
  });

  it("createTargetFiller() leaves out negative labels and rows without labels, by weights", () => {
    const types = new Map([
      ["targets", { dtype: "i64" as const, shape: [3, 2] }],
      ["weights", { dtype: "f32" as const, shape: [3, 2] }],
    ]);
    const step = { ...stepWith("i64", [3, 2], { targetWeights: "weights" }) };
    const typed = { ...step, graph: { ...step.graph, types } };
    const inputs = createTensor("f32", [2, 2], new Float32Array(4));
    const two = { inputs, labels: Int32Array.of(2, -1, 0, 1) };
    const weightsBy = (weighting: "labels" | "examples") => {
      const { targets, weights, fill } = createTargetFiller(typed, two, { classes: 3, weighting });
      fill();
      expect([...targets.data]).toEqual([2n, 0n, 0n, 1n, 0n, 0n]);
      return [...(weights?.data ?? [])];
    };
    expect(weightsBy("labels")).toEqual([1, 0, 1, 1, 0, 0]);
    expect(weightsBy("examples")).toEqual([1, 0, 0.5, 0.5, 0, 0]);
    const whole = { inputs, labels: Int32Array.of(2, 1) };
    const next = { ...typed, examples: "targets" };
    const filler = createTargetFiller(next, whole, { classes: 3, weighting: "examples" });
    filler.fill();
    expect([...(filler.weights?.data ?? [])]).toEqual([0, 1, 0, 1, 0, 0]);
  });
});
