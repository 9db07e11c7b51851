import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeGraph } from "../onnx/decode-graph.ts";
import { exposeValues } from "./values.ts";

const mlp = () =>
  decodeGraph(readFileSync(new URL("../../../../test/fixtures/mnist-mlp/graph.onnx", import.meta.url))).graph;

describe("exposeValues()", () => {
  it("adds outputs after those there are, once each, and leaves the graph alone", () => {
    const graph = mlp();
    const exposed = exposeValues(graph, ["/Relu_1_output_0", "logits", "/Relu_output_0", "/Relu_output_0"]);
    expect(exposed.outputs.map(({ name }) => name)).toEqual(["logits", "/Relu_1_output_0", "/Relu_output_0"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["logits"]);
    expect({ ...exposed, outputs: graph.outputs }).toEqual(graph);
  });

  it.each(["", "x", "layers.0.weight", "nothing"])('refuses "%s", which no node computes', (name) => {
    expect(() => exposeValues(mlp(), [name])).toThrow(RangeError);
    expect(() => exposeValues(mlp(), [name])).toThrow(`Cannot expose value "${name}"`);
  });
});
