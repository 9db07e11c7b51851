import { allocateData, createCheckpoint, type DType, fromFloat32Into, type Tensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { assertBindable, bindWeights } from "./bind-weights.ts";
import type { Graph, WeightInfo } from "./graph.ts";

function graphOf(weights: Record<string, readonly number[]>, dtype: DType = "f32"): Graph {
  const infos = Object.entries(weights).map(([name, shape]): [string, WeightInfo] => [
    name,
    { dtype, shape, role: "parameter" },
  ]);
  return {
    name: "net",
    opsets: new Map(),
    inputs: [],
    weights: new Map(infos),
    constants: new Map(),
    nodes: [],
    outputs: [],
  };
}

function tensor(values: readonly number[], dtype: DType = "f32"): Tensor {
  const data = fromFloat32Into(Float32Array.from(values), dtype, allocateData(dtype, values.length));
  return { dtype, shape: [values.length], data };
}

describe("bindWeights()", () => {
  it("reads the weights of the graph in its order, and nothing else", async () => {
    const checkpoint = createCheckpoint({ extra: tensor([9]), a: tensor([1]), b: tensor([2, 3]) });
    const bound = await bindWeights(graphOf({ b: [2], a: [1] }), checkpoint);
    expect([...bound]).toEqual([
      ["b", tensor([2, 3])],
      ["a", tensor([1])],
    ]);
  });

  it.each(["f64", "f16", "bf16", "f8e5m2"] as const)(
    "converts %s to what the graph expects",
    async (dtype) => {
      const checkpoint = createCheckpoint({ a: tensor([1, -0.5, 0], dtype) });
      const bound = await bindWeights(graphOf({ a: [3] }), checkpoint);
      expect(bound.get("a")).toEqual(tensor([1, -0.5, 0]));
      const narrow = await bindWeights(graphOf({ a: [3] }, "f16"), checkpoint);
      expect(narrow.get("a")).toEqual(tensor([1, -0.5, 0], "f16"));
    },
  );

  it("names the weights that are missing, the first five of many", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g"];
    const graph = graphOf(Object.fromEntries(names.map((name) => [name, [1]])));
    const checkpoint = createCheckpoint({ c: tensor([1]) }, {}, "net.pt");
    const missing = names.filter((name) => name !== "c");
    const bound = bindWeights(graph, checkpoint);
    await expect(bound).rejects.toMatchObject({ _tag: "MismatchError", parameters: missing });
    await expect(bound).rejects.toThrow(
      'Cannot feed "net.pt" to graph "net" as it lacks 6 of 7 weights: "a", "b", "d", "e", "f", 1 more; if an exporter renamed them, name the checkpoint that the graph was exported from with --exported-from (in a script: bindArchitecture(architecture, checkpoints))',
    );
  });

  it("calls it another network if it lacks weights and others have other shapes", () => {
    const checkpoint = createCheckpoint({ a: tensor([1]), b: tensor([2, 3]) }, {}, "net.pt");
    expect(() => assertBindable(graphOf({ a: [1], b: [1, 3], c: [1] }), checkpoint)).toThrow(
      'as it is another network than the graph\'s: it lacks 1 of 3 weights, and 1 have other shapes, such as "b", [1, 3] in the graph and [2] in the checkpoint; name the graph of this network with --graph',
    );
  });

  it("names the weight whose shape differs, and both shapes", () => {
    const checkpoint = createCheckpoint({ a: tensor([1]), b: tensor([2, 3]) });
    const bind = () => assertBindable(graphOf({ a: [1], b: [1, 2] }), checkpoint);
    expect(bind).toThrow(expect.objectContaining({ _tag: "MismatchError", parameters: ["b"] }));
    expect(bind).toThrow(/"b" .* the graph has \[1, 2\], the checkpoint \[2\]/);
  });
});
