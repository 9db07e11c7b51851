import type { Node } from "@isthmus/graph";
import { expect, test } from "vitest";
import { coordinate, type Labelled } from "../labels/field.ts";
import { LabelStore } from "../labels/label-store.ts";
import { topK } from "./ordered.ts";
import { inputName, inputOf, outputShape, type RuleContext } from "./rule.ts";

function contextOf(
  node: Pick<Node, "op" | "inputs" | "outputs">,
  { store = new LabelStore(), inputs, outputs }: Partial<RuleContext>,
): RuleContext {
  return {
    node: { name: "step", domain: "", attributes: new Map(), ...node },
    store,
    opset: 18,
    inputs: inputs ?? [],
    outputs: outputs ?? [],
    isActivation: () => true,
    constant: () => undefined,
  };
}

const LABELLED: Labelled = { shape: [2], fields: [] };

test("inputOf() throws where a node lacks an input that it must have, and names the node", () => {
  const node = { op: "MatMul", inputs: ["a", ""], outputs: ["y"] };
  const context = contextOf(node, { inputs: [LABELLED, undefined] });
  expect(inputOf(context, 0)).toBe(LABELLED);
  expect(() => inputOf(context, 1)).toThrow('No input 1 of MatMul "step" among 2');
  expect(() => inputOf(context, 2)).toThrow('No input 2 of MatMul "step" among 2');
});

test("outputShape() throws where an output is left out", () => {
  const context = contextOf({ op: "TopK", inputs: [], outputs: ["", "i"] }, { outputs: [undefined, [3]] });
  expect(outputShape(context, 1)).toEqual([3]);
  expect(() => outputShape(context)).toThrow('No output 0 of TopK "step" among 2');
});

test("inputName() returns undefined for inputs that are left out", () => {
  const node: Node = {
    name: "step",
    op: "Clip",
    domain: "",
    inputs: ["x", "", "max"],
    outputs: ["y"],
    attributes: new Map(),
  };
  expect([0, 1, 2, 3].map((index) => inputName(node, index))).toEqual(["x", undefined, "max", undefined]);
});

test.each([
  {
    name: "both outputs",
    outputs: [
      [2, 3],
      [2, 3],
    ],
  },
  { name: "positions only", outputs: [undefined, [2, 3]] },
  { name: "values only", outputs: [[2, 3], undefined] },
])("topK() fixes the axis of its results: $name", ({ outputs }) => {
  const store = new LabelStore();
  const x: Labelled = {
    shape: [2, 5],
    fields: [
      { frozen: false, axes: [0], data: store.create(2) },
      { frozen: false, axes: [1], data: store.create(5) },
    ],
  };
  const node = { op: "TopK", inputs: ["x", "k"], outputs: ["values", "positions"] };
  const results = topK(contextOf(node, { store, inputs: [x], outputs }));
  for (const result of results ?? []) expect(result?.fields).toContainEqual(coordinate(1, 3));
  expect(results).toHaveLength(2);
});
