import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bakeWeights, readGraph } from "@isthmus/graph";
import { expect, test } from "vitest";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

test("readGraph() replaces local functions by nodes that compute what onnxruntime computes by the functions", async () => {
  const { graph, weights } = await readGraph(fixture("functions.onnx"));
  const expected = JSON.parse(readFileSync(fixture("functions.json"), "utf8")) as Record<string, number[]>;
  expect(new Set(graph.nodes.map(({ domain }) => domain))).toEqual(new Set([""]));
  const session = await createOnnxRuntimeEngine().load(bakeWeights(graph, weights));
  const x = { dtype: "f32", shape: [2, 3], data: Float32Array.from(expected["x"] ?? []) } as const;
  const results = await session.run(new Map([["x", x]]));
  await session.release();
  for (const name of ["out", "same"]) {
    const got = Array.from(results.get(name)?.data as Float32Array);
    expect(got).toHaveLength(expected[name]?.length ?? 0);
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[name]?.[i] ?? Number.NaN, 5);
    });
  }
});
