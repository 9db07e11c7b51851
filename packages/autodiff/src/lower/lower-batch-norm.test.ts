import { MismatchError, type TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum, type Value } from "@isthmus/graph/builder";
import { float, int } from "@isthmus/graph/ir";
import { describe, expect, test } from "vitest";
import { gradient } from "../gradient.ts";
import { lowerBatchNorm } from "./lower-batch-norm.ts";

const X: TensorInfo = { dtype: "f32", shape: [4, 3, 2, 2] };
const CHANNELS: TensorInfo = { dtype: "f32", shape: [3] };

function normOf(isTraining: boolean, momentum = 0): { graph: Graph; loss: string } {
  const b = new GraphBuilder("norm", 21);
  const weights = ["scale", "bias"].map((name) => b.weight(name, CHANNELS));
  const statistics = ["mean", "variance"].map((name) => b.weight(name, CHANNELS, "statistic"));
  const outputs = isTraining ? [X, CHANNELS, CHANNELS] : [X];
  const results = b.emit("BatchNormalization", [b.input("x", X), ...weights, ...statistics], outputs, {
    attributes: { training_mode: int(isTraining ? 1 : 0), momentum: float(momentum) },
  });
  const loss = reduceSum(mul(results[0] as Value, results[0] as Value));
  return { graph: b.build([loss, ...results]), loss: loss.name };
}

const operators = ({ nodes }: Graph): string[] => nodes.map(({ op }) => op);

describe("lowerBatchNorm()", () => {
  test("returns a graph without training norms as it is", () => {
    const { graph } = normOf(false);
    expect(lowerBatchNorm(graph)).toBe(graph);
  });

  test("leaves no norm in training mode, and all outputs under their names and types", () => {
    const { graph } = normOf(true);
    const lowered = lowerBatchNorm(graph);
    expect(lowered.nodes.some(({ attributes }) => attributes.has("training_mode"))).toBe(false);
    expect(lowered.outputs).toEqual(graph.outputs);
    expect(lowered.weights).toEqual(graph.weights);
  });

  test("mixes running statistics only where a momentum asks for it", () => {
    expect(operators(lowerBatchNorm(normOf(true).graph))).not.toContain("Add");
    expect(operators(lowerBatchNorm(normOf(true, 0.9).graph)).filter((op) => op === "Add")).toHaveLength(2);
  });

  test("computes the centred input once for norm and gradient", () => {
    const { graph, loss } = normOf(true);
    const lowered = lowerBatchNorm(gradient(graph, { loss, withRespectTo: ["x", "scale", "bias"] }));
    expect(operators(lowered).filter((op) => op === "Sub")).toHaveLength(1);
  });

  test("names every node once", () => {
    const { graph, loss } = normOf(true, 0.9);
    const names = lowerBatchNorm(gradient(graph, { loss })).nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("refuses a graph that is not typed", () => {
    const { types: _, ...untyped } = normOf(true).graph;
    expect(() => lowerBatchNorm(untyped)).toThrow(MismatchError);
  });
});
