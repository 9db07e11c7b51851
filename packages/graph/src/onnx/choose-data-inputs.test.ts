import { describe, expect, it } from "vitest";
import type { Node, ValueInfo } from "../ir/graph.ts";
import { chooseDataInputs } from "./choose-data-inputs.ts";

const node = (op: string, inputs: readonly string[], output: string): Node => ({
  name: output,
  op,
  domain: "",
  inputs,
  outputs: [output],
  attributes: new Map(),
});
const floats = (name: string, ...shape: (number | string)[]): ValueInfo => ({ name, dtype: "f32", shape });

/** Two towers: both inputs go through separate layers. */
const NODES = [
  node("Flatten", ["left"], "flat"),
  node("Gemm", ["flat", "a.weight", "a.bias"], "one"),
  node("Transpose", ["b.weight"], "turned"),
  node("MatMul", ["right", "turned"], "two"),
  node("Add", ["two", "b.bias"], "three"),
  node("Mul", ["one", "three"], "y"),
];
const [left, right] = [floats("left", 2, 3), floats("right", 2, 4)];
const weights = [
  floats("a.weight", 3, 5),
  floats("a.bias", 5),
  floats("b.weight", 5, 4),
  floats("b.bias", 5),
];

describe("chooseDataInputs()", () => {
  it("chooseDataInputs() takes all inputs where the file holds the weights", () => {
    const chosen = chooseDataInputs({ inputs: [left, right], nodes: NODES, carried: 2 });
    expect(chosen).toEqual(["left", "right"]);
  });

  it("chooseDataInputs() tells data from weights by what they are used as, wherever they stand", () => {
    const inputs = [...weights, right, left];
    for (const carried of [0, 2]) {
      expect(chooseDataInputs({ inputs, nodes: NODES, carried })).toEqual(["right", "left"]);
    }
  });

  it("chooseDataInputs() believes extents and types before anything else", () => {
    const inputs = [floats("left", "N", 3), floats("right", "N", 4), ...weights];
    expect(chooseDataInputs({ inputs, nodes: NODES, carried: 0 })).toEqual(["left", "right"]);
    const ids: ValueInfo = { name: "ids", dtype: "i64", shape: [2, 8] };
    const table = [node("Gather", ["table", "ids"], "rows"), node("Add", ["rows", "places"], "y")];
    const lookUp = [floats("table", 9, 4), ids, floats("places", 8, 4)];
    expect(chooseDataInputs({ inputs: lookUp, nodes: table, carried: 2 })).toEqual(["ids"]);
    expect(chooseDataInputs({ inputs: lookUp.slice(1), nodes: table, carried: 2 })).toEqual([
      "ids",
      "places",
    ]);
  });

  it("chooseDataInputs() takes the first input where nothing tells", () => {
    const nodes = [node("Add", ["x", "w"], "y")];
    const inputs = [floats("x", 1, 2), floats("w", 2)];
    expect(chooseDataInputs({ inputs, nodes, carried: 0 })).toEqual(["x"]);
  });
});
