import type { DType } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { batchNorm, dropout, GraphBuilder, mul, relu, type Value } from "@isthmus/graph/builder";
import { describe, expect, test } from "vitest";
import { toTrainingMode } from "./to-training-mode.ts";

const SHAPE = [4, 3, 2, 2];

interface Norm {
  readonly builder: GraphBuilder;
  readonly x: Value;
  readonly weights: Readonly<Record<"scale" | "bias" | "mean" | "variance", Value>>;
}

function startNorm(shape: readonly number[] = SHAPE, opset = 21, dtype: DType = "f32"): Norm {
  const builder = new GraphBuilder("norm", opset);
  const x = builder.input("x", { dtype, shape });
  const weight = (name: string, role: "parameter" | "statistic" = "parameter") =>
    builder.weight(name, { dtype, shape: [shape[1] ?? 0] }, role);
  const weights = {
    scale: weight("scale"),
    bias: weight("bias"),
    mean: weight("mean", "statistic"),
    variance: weight("variance", "statistic"),
  };
  return { builder, x, weights };
}

const opsOf = ({ nodes }: Graph) => nodes.map(({ op }) => op);

describe("toTrainingMode()", () => {
  test("returns a graph without norms and dropout as it was", () => {
    const builder = new GraphBuilder("plain", 21);
    const graph = builder.build([relu(builder.input("x", { dtype: "f32", shape: [2, 3] }))]);
    const mode = toTrainingMode(graph);
    expect(mode).toMatchObject({ statistics: new Map(), masks: [] });
    expect(mode.graph).toEqual(graph);
  });

  test("makes norms give out the batch's statistics and moves the running ones", () => {
    const { builder, x, weights } = startNorm();
    const graph = builder.build([batchNorm(x, weights)]);
    const mode = toTrainingMode(graph);
    const [node] = mode.graph.nodes;
    expect(node?.attributes.get("training_mode")).toEqual({ type: "int", value: 1 });
    expect(node?.attributes.get("momentum")).toEqual({ type: "float", value: 0 });
    expect(node?.outputs.map((name) => mode.graph.types?.get(name)?.shape)).toEqual([SHAPE, [3], [3]]);
    expect([...mode.statistics.keys()]).toEqual(["mean", "variance"]);
    expect(mode.graph.outputs.map(({ name }) => name)).toEqual([
      graph.outputs[0]?.name,
      ...mode.statistics.values(),
    ]);
    // 0.9 of the last; 0.1 of the batch's, the variance times 16 / 15 as 16 values a channel are seen.
    const factors = [...mode.graph.constants.values()].map(({ data }) => Number(data[0]));
    for (const factor of [0.9, 0.1, (0.1 * 16) / 15]) {
      expect(factors).toContainEqual(expect.closeTo(factor, 6));
    }
    expect(opsOf(graph)).toEqual(["BatchNormalization"]);
  });

  test("leaves constant statistics alone", () => {
    const { builder, x, weights } = startNorm();
    const constant = { ...weights, mean: builder.numbers([0, 0, 0], "f32") };
    const mode = toTrainingMode(builder.build([batchNorm(x, constant)]));
    expect([...mode.statistics.keys()]).toEqual(["variance"]);
  });

  test("refuses statistics that two norms share", () => {
    const { builder, x, weights } = startNorm();
    const graph = builder.build([batchNorm(relu(batchNorm(x, weights)), weights)]);
    expect(() => toTrainingMode(graph)).toThrow(
      /statistics of its own: nodes "BatchNormalization_0" and "BatchNormalization_1" share "mean"/,
    );
  });

  test("refuses one value a channel, computed statistics, old operator sets and untyped graphs", () => {
    const single = startNorm([1, 3]);
    const alone = single.builder.build([batchNorm(single.x, single.weights)]);
    expect(() => toTrainingMode(alone)).toThrow(/more than one value a channel.*\[1, 3\]; take a larger/);
    const { builder, x, weights } = startNorm();
    const computed = builder.build([batchNorm(x, { ...weights, mean: mul(weights.mean, 2) })]);
    expect(() => toTrainingMode(computed)).toThrow(/statistics of batch norms must be weights: "Mul_0:0"/);
    const old = startNorm(SHAPE, 11);
    const exported = old.builder.build([batchNorm(old.x, old.weights)]);
    expect(() => toTrainingMode(exported)).toThrow(/operator set 14 or later: it has 11/);
    const { types: _, ...untyped } = alone;
    expect(() => toTrainingMode(untyped)).toThrow(/specialize/);
  });

  test("makes dropout a product with a mask, and nothing where it drops nothing", () => {
    const builder = new GraphBuilder("drop", 21);
    const x = builder.input("x", { dtype: "f32", shape: [2, 3] });
    const [y] = builder.emit("Dropout", [x, builder.scalar(0)], [x]);
    const graph = builder.build([dropout(relu(y as Value), 0.3)]);
    const mode = toTrainingMode(graph);
    expect(opsOf(mode.graph)).toEqual(["Identity", "Relu", "Mul"]);
    expect(mode.masks).toMatchObject([{ dtype: "f32", shape: [2, 3], ratio: expect.closeTo(0.3, 6) }]);
    expect(mode.graph.inputs.map(({ name }) => name)).toEqual(["x", mode.masks[0]?.name]);
    expect(mode.graph.outputs).toEqual(graph.outputs);
  });

  test("reads the ratio of old dropouts from their attribute, half by default", () => {
    const builder = new GraphBuilder("drop", 11);
    const x = builder.input("x", { dtype: "f32", shape: [2, 3] });
    const ratio = { type: "float", value: 0.25 } as const;
    const [y] = builder.emit("Dropout", [x], [x], { attributes: { ratio } });
    const [z] = builder.emit("Dropout", [y], [x]);
    const mode = toTrainingMode(builder.build([z as Value]));
    expect(mode.masks.map(({ ratio }) => ratio)).toEqual([0.25, 0.5]);
  });

  test("refuses dropouts of a computed ratio, of everything, and those whose mask is used", () => {
    const builder = new GraphBuilder("drop", 21);
    const x = builder.input("x", { dtype: "f32", shape: [2, 3] });
    const ratio = builder.input("ratio", { dtype: "f32", shape: [] });
    const refuse = (inputs: readonly Value[], message: RegExp) => {
      const [y, mask] = builder.emit("Dropout", inputs, [x, { dtype: "bool", shape: [2, 3] }]);
      const outputs = inputs.length > 1 ? [y as Value] : [y as Value, mask as Value];
      expect(() => toTrainingMode(builder.build(outputs))).toThrow(message);
    };
    refuse([x, ratio], /constant in \[0, 1\): that of node "Dropout_0" is computed, "ratio"/);
    refuse([x, builder.scalar(1)], /that of node "Dropout_1" is 1$/);
    refuse([x], /mask of a dropout: "Dropout_2:1" of node "Dropout_2"/);
  });
});
