import { readFileSync } from "node:fs";
import type { Tensor } from "@isthmus/core";
import {
  bakeWeights,
  decodeGraph,
  exposeValues,
  extractSubgraph,
  type Graph,
  randomInputs,
  randomWeights,
} from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { runGraph } from "../../../test/helpers/run-graph.ts";

const fixtures = {
  "fmnist-cnn": "../../../test/fixtures/fmnist-cnn/graph.onnx",
  "fmnist-vit": "../../../test/fixtures/fmnist-vit/graph.onnx",
  branches: "fixtures/branches.onnx",
  loop: "fixtures/loop.onnx",
};
const names = Object.keys(fixtures) as (keyof typeof fixtures)[];
const read = (name: keyof typeof fixtures): Graph =>
  decodeGraph(readFileSync(new URL(fixtures[name], import.meta.url))).graph;

const run = (graph: Graph, feeds: ReadonlyMap<string, Tensor>) => runGraph(graph, feeds, { threads: 1 });

describe.each(names)("parts of %s", (name) => {
  const graph = read(name);
  const feeds = new Map([...randomInputs(graph, 2, 1), ...randomWeights(graph, 1)]);
  const output = graph.outputs[0]?.name ?? "";

  test("exposeValues() shows values and does not change the outputs", async () => {
    const values = graph.nodes.flatMap(({ outputs }) => outputs).filter((value) => value !== "");
    const [plain, exposed] = [await run(graph, feeds), await run(exposeValues(graph, values), feeds)];
    expect(exposed.get(output)).toEqual(plain.get(output));
    expect([...exposed.keys()].sort()).toEqual([...new Set(values)].sort());
  });

  test("extractSubgraph() computes the same from any value on", async () => {
    const weights = new Map([...feeds].filter(([key]) => graph.weights.has(key)));
    const step = Math.ceil(graph.nodes.length / 12);
    const places = graph.nodes.flatMap(({ outputs }, i) => (i % step === 0 ? outputs : []));
    const all = await run(exposeValues(graph, places), feeds);
    for (const place of places) {
      const value = all.get(place) as Tensor;
      const given = [{ name: place, dtype: value.dtype }];
      // Weights baked in, so that one that is missing is not fed by accident.
      const part = bakeWeights(extractSubgraph(graph, given, [output]), weights);
      expect(part.weights.size).toBe(0);
      const result = await run(part, new Map([...feeds, [place, value]]));
      const expected = all.get(output)?.data as Float32Array;
      const got = result.get(output)?.data as Float32Array;
      // Constants are packed for other kernels, which add in another order.
      expect([...got]).toEqual([...expected].map((number) => expect.closeTo(number, 5)));
    }
  });
});
