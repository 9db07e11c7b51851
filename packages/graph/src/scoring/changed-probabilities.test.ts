import { describe, expect, test } from "vitest";
import { GraphBuilder, type Value } from "../builder/graph-builder.ts";
import { clip } from "../builder/operators/activation.ts";
import { add, div, log, mul, sigmoid, sub } from "../builder/operators/elementwise.ts";
import { concat } from "../builder/operators/layout.ts";
import { matMul } from "../builder/operators/linear.ts";
import { logSoftmax, softmax } from "../builder/operators/normalize.ts";
import { findLogits } from "./find-logits.ts";

/** Builds a graph that ends in something made of two layers' outputs. */
function endingIn(end: (one: Value, other: Value) => Value) {
  const b = new GraphBuilder("probabilities", 21);
  const x = b.input("x", { dtype: "f32", shape: [2, 3] });
  const layer = (name: string) => matMul(x, b.weight(name, { dtype: "f32", shape: [3, 4] }));
  return b.build([end(layer("one"), layer("other"))]);
}

describe("findLogits() of probabilities that were changed", () => {
  test.each<readonly [string, (one: Value, other: Value) => Value, string]>([
    ["a clamp", (one) => clip(softmax(one), 1e-7, 1), 'those of Softmax ".*", by Clip; --logits ".*" scores'],
    ["a factor", (one) => mul(softmax(one), 100), "by Mul"],
    ["a mean of two", (one, other) => div(add(softmax(one), softmax(other)), 2), "by Div"],
    [
      "both sides of a decision",
      (one) => concat([sub(1, sigmoid(one)), sigmoid(one)], 1),
      "those of Sigmoid",
    ],
  ])("refuses %s, and names the value before", (_, end, message) => {
    expect(() => findLogits("evaluate", endingIn(end))).toThrow(new RegExp(message));
  });

  test.each<readonly [string, (one: Value, other: Value) => Value]>([
    ["a gate", (one, other) => mul(other, sigmoid(one))],
    ["a logarithm", (one) => log(add(softmax(one), 1e-7))],
    ["logits that are scaled", (one) => mul(one, 2)],
    ["logarithms of probabilities", (one) => logSoftmax(one)],
  ])("scores %s as logits", (_, end) => {
    const graph = endingIn(end);
    expect(findLogits("evaluate", graph)).toMatchObject({
      logits: graph.outputs[0]?.name,
      operator: undefined,
    });
  });

  test("refuses logarithms of probabilities over the examples", () => {
    expect(() =>
      findLogits(
        "evaluate",
        endingIn((one) => logSoftmax(one, 0)),
      ),
    ).toThrow(/is made by LogSoftmax over other axes than the classes/);
  });
});
