import { createCheckpoint, createTensor } from "@isthmus/core";
import { expect, test } from "vitest";
import { parseRecipe } from "../read/parse-recipe.ts";
import { groupTensors } from "./group-tensors.ts";
import { planRecipe } from "./plan-recipe.ts";

const layers = ["self_attn.q.weight", "experts.0.w", "experts.1.w"];
const names = [0, 1, 2, 3].flatMap((layer) => layers.map((rest) => `model.layers.${layer}.${rest}`));
const tensor = createTensor("f32", [2], Float32Array.of(1, 2));
const network = createCheckpoint(new Map([...names, "lm_head.weight"].map((name) => [name, tensor])));
const counter = createTensor("i32", [1], Int32Array.of(1));
const withCounter = createCheckpoint(
  new Map([...network.tensors.keys(), "count"].map((name) => [name, name === "count" ? counter : tensor])),
);

const groupsOf = async (text: string, input = network) =>
  groupTensors(
    await planRecipe(parseRecipe(text), { open: async (name) => ({ ...input, source: String(name) }) }),
  );

test("tensors that differ in layer or expert only are one group, with the range of their values", async () => {
  const groups = await groupsOf(
    "merge_method: ties\nbase_model: base\nmodels:\n  - { model: a, parameters: { weight: [0, 0.75], density: 0.5 } }\n  - { model: b, parameters: { weight: [{ filter: experts, value: 2 }, { value: 0.1 }] } }\nparameters: { int8_mask: true }\n",
  );
  const shared = { dtype: "f32", shape: [2], method: "ties", networks: ["a", "b"] };
  expect(groups).toEqual([
    {
      ...{ ...shared, pattern: "model.layers.0-3.self_attn.q.weight", count: 4 },
      parameters: { weight: ["0 to 0.75", 0.1], density: [0.5, 1], int8_mask: [true] },
    },
    {
      ...{ ...shared, pattern: "model.layers.0-3.experts.*.w", count: 8 },
      parameters: { weight: ["0 to 0.75", 2], density: [0.5, 1], int8_mask: [true] },
    },
    {
      ...{ ...shared, pattern: "lm_head.weight", count: 1 },
      parameters: { weight: [0, 0.1], density: [0.5, 1], int8_mask: [true] },
    },
  ]);
});

test("tensors of other networks, and copies, are groups of their own", async () => {
  const groups = await groupsOf(
    "merge_method: passthrough\nslices:\n  - sources: [{ model: a, layer_range: [0, 2] }]\n  - sources: [{ model: b, layer_range: [3, 4] }]\n  - sources: [{ model: a, layer_range: [2, 3] }]\n",
    withCounter,
  );
  const found = groups.map(({ pattern, count, method, networks }) => [pattern, count, method, networks]);
  expect(found).toContainEqual(["model.layers.0-1,3.self_attn.q.weight", 3, "passthrough", ["a"]]);
  expect(found).toContainEqual(["model.layers.2.self_attn.q.weight", 1, "passthrough", ["b"]]);
  expect(found).toContainEqual(["count", 1, null, ["a"]]);
});
