import { describe, expect, it } from "vitest";
import { bakeWeights } from "./bake-weights.ts";
import type { Graph } from "./graph.ts";

const tensor = { dtype: "f32" as const, shape: [1], data: Float32Array.of(2) };
const weight = { dtype: "f32" as const, shape: [1], role: "parameter" as const };
const graph: Graph = {
  name: "g",
  opsets: new Map(),
  inputs: [],
  weights: new Map([
    ["a", weight],
    ["b", weight],
  ]),
  constants: new Map([["c", tensor]]),
  nodes: [],
  outputs: [],
};

describe("bakeWeights()", () => {
  it("turns the weights it is given into constants, and leaves the graph alone", () => {
    const baked = bakeWeights(graph, new Map([["b", tensor]]));
    expect([...baked.weights.keys()]).toEqual(["a"]);
    expect([...baked.constants.keys()]).toEqual(["c", "b"]);
    expect(baked.constants.get("b")).toBe(tensor);
    expect([...graph.weights.keys()]).toEqual(["a", "b"]);
  });

  it("ignores what is not a weight, constants of the same name too", () => {
    const other = { ...tensor, data: Float32Array.of(3) };
    const baked = bakeWeights(graph, new Map([...["c", "z"].map((name) => [name, other] as const)]));
    expect(baked).toEqual(graph);
  });
});
