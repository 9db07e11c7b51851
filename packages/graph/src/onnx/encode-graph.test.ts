import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryGraph } from "../../test/arbitrary-graph.ts";
import { decodeGraph } from "./decode-graph.ts";
import { encodeGraph } from "./encode-graph.ts";

const fixture = (path: string) => readFileSync(new URL(`../../../../test/fixtures/${path}`, import.meta.url));
const readFixture = (path: string) => readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url));

describe("encodeGraph()", () => {
  it.each(["mnist-mlp", "fmnist-cnn", "fmnist-vit"])("gives back the graph of %s", (name) => {
    const { graph, weights } = decodeGraph(fixture(`${name}/graph.onnx`));
    expect(weights.size).toBe(0);
    expect(decodeGraph(encodeGraph(graph)).graph).toEqual(graph);
  });

  it.each(["types", "branches", "loop"])("gives back %s.onnx", (name) => {
    const { graph } = decodeGraph(readFixture(`${name}.onnx`));
    expect(decodeGraph(encodeGraph(graph)).graph).toEqual(graph);
  });

  it("gives back any graph, bit for bit", () => {
    fc.assert(
      fc.property(arbitraryGraph(), (graph) => {
        const bytes = encodeGraph(graph);
        const decoded = decodeGraph(bytes);
        expect(decoded.graph).toEqual(graph);
        expect(decoded.weights.size).toBe(0);
        expect(encodeGraph(decoded.graph)).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });
});
