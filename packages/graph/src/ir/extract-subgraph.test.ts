import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeGraph } from "../onnx/decode-graph.ts";
import { extractSubgraph } from "./extract-subgraph.ts";
import type { Graph } from "./graph.ts";

const fixture = (name: string): Graph =>
  decodeGraph(readFileSync(new URL(`../../../../test/fixtures/${name}/graph.onnx`, import.meta.url))).graph;
const decodeFixture = (name: string): Graph =>
  decodeGraph(readFileSync(new URL(`../../test/fixtures/${name}.onnx`, import.meta.url))).graph;

const namesOf = (graph: Graph) => ({
  inputs: graph.inputs.map(({ name }) => name),
  weights: [...graph.weights.keys()],
  constants: [...graph.constants.keys()],
  nodes: graph.nodes.map(({ name }) => name),
  outputs: graph.outputs.map(({ name }) => name),
});

describe("extractSubgraph()", () => {
  it("keeps what lies between, and the weights it uses", () => {
    const part = extractSubgraph(fixture("mnist-mlp"), [{ name: "/Relu_output_0" }], ["/Relu_1_output_0"]);
    expect(namesOf(part)).toEqual({
      inputs: ["/Relu_output_0"],
      weights: ["layers.1.weight", "layers.1.bias"],
      constants: [],
      nodes: ["/layers.1/Gemm", "/Relu_1"],
      outputs: ["/Relu_1_output_0"],
    });
    expect(part.inputs[0]?.dtype).toBe("f32");
  });

  it("keeps data inputs that are needed", () => {
    const graph = fixture("mnist-mlp");
    const part = extractSubgraph(graph, [], ["/Relu_output_0"]);
    expect(part.inputs).toEqual(graph.inputs);
    expect([...part.weights.keys()]).toEqual(["layers.0.weight", "layers.0.bias"]);
  });

  it("gives back the whole graph for all of its outputs", () => {
    for (const name of ["mnist-mlp", "fmnist-cnn", "fmnist-vit"]) {
      const graph = fixture(name);
      expect(extractSubgraph(graph, [], ["logits"])).toEqual(graph);
    }
  });

  it("takes element types from the caller, then from the graph", () => {
    const graph = fixture("mnist-mlp");
    const fed = [{ name: "/Flatten_output_0", dtype: "f64" as const }, { name: "x" }];
    const part = extractSubgraph(graph, fed, ["logits"]);
    expect(part.inputs).toEqual([fed[0], graph.inputs[0]]);
  });

  it("makes an input of a weight that is given", () => {
    const part = extractSubgraph(fixture("mnist-mlp"), [{ name: "layers.0.bias" }], ["/Relu_output_0"]);
    expect(part.inputs.map(({ name }) => name)).toEqual(["x", "layers.0.bias"]);
    expect([...part.weights.keys()]).toEqual(["layers.0.weight"]);
  });

  it("keeps what branches and loop bodies use around them", () => {
    const branches = decodeFixture("branches");
    expect(extractSubgraph(branches, [], ["y"])).toEqual(branches);
    const loop = decodeFixture("loop");
    expect(extractSubgraph(loop, [], ["y"])).toEqual(loop);
  });

  it("does not take outputs that are left out for inputs that are left out", () => {
    const { nodes, ...rest } = decodeFixture("loop");
    const [last] = nodes;
    const unrelated = { ...last!, name: "unrelated", inputs: ["x"], outputs: [""], attributes: new Map() };
    const part = extractSubgraph({ ...rest, nodes: [unrelated, last!] }, [], ["y"]);
    expect(part.nodes.map(({ name }) => name)).toEqual(["repeat"]);
  });

  it("refuses a value that no node computes", () => {
    expect(() => extractSubgraph(fixture("mnist-mlp"), [], ["logits", "nothing"])).toThrow(
      /Cannot extract value "nothing"/,
    );
  });
});
