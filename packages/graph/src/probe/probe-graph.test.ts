import { createTensor, type Tensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { add, GraphBuilder, matMul } from "../builder/index.ts";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { probeGraph } from "./probe-graph.ts";

/** An engine that keeps the graphs it is given and answers with what it is told. */
function fakeEngine(results: ReadonlyMap<string, Tensor>): { engine: Engine; loaded: Graph[] } {
  const loaded: Graph[] = [];
  const engine: Engine = {
    name: "fake",
    load: async (graph) => {
      loaded.push(graph);
      return { run: async () => new Map(results), release: async () => {} };
    },
  };
  return { engine, loaded };
}

/** `x [3, 2] w [2, 4]`, plus the sum of two constants if asked. */
function buildProduct(withConstants: boolean): Graph {
  const builder = new GraphBuilder("product", 21);
  const x = builder.input("x", { dtype: "f32", shape: [3, 2] });
  const product = matMul(x, builder.weight("w", { dtype: "f32", shape: [2, 4] }));
  if (!withConstants) return builder.build([product]);
  const constants = add(builder.numbers([1, 2, 3, 4], "f32"), builder.numbers([4, 3, 2, 1], "f32"));
  return builder.build([add(product, constants)]);
}

describe("probeGraph()", () => {
  test("probeGraph() runs nothing of a typed graph, whose batch is that of its types", async () => {
    const { engine, loaded } = fakeEngine(new Map());
    const graph = buildProduct(false);
    const probe = await probeGraph({ graph, engine }, { batch: 5 });
    expect(loaded).toEqual([]);
    expect(probe).toMatchObject({ batch: 3, types: graph.types, constants: new Map() });
  });

  test("probeGraph() runs of a typed graph what depends on neither input nor weight", async () => {
    const sum = createTensor("f32", [4], Float32Array.of(5, 5, 5, 5));
    const { engine, loaded } = fakeEngine(new Map([["Add_0:0", sum]]));
    const probe = await probeGraph({ graph: buildProduct(true), engine });
    expect(probe.constants).toEqual(new Map([["Add_0:0", sum]]));
    expect(loaded.map(({ inputs, weights, nodes }) => [inputs.length, weights.size, nodes.length])).toEqual([
      [0, 0, 1],
    ]);
  });

  test("probeGraph() probes a graph once for the same engine and options, and anew for others", async () => {
    const sum = createTensor("f32", [4], Float32Array.of(5, 5, 5, 5));
    const { engine, loaded } = fakeEngine(new Map([["Add_0:0", sum]]));
    const graph = buildProduct(true);
    const first = await probeGraph({ graph, engine });
    expect(await probeGraph({ graph, engine }, { batch: 2 })).toBe(first);
    expect(loaded).toHaveLength(1);
    await probeGraph({ graph, engine }, { batch: 5 });
    await probeGraph({ graph, engine: { ...engine, name: "other" } });
    await probeGraph({ graph: { ...graph }, engine });
    expect(loaded).toHaveLength(4);
  });

  test("probeGraph() refuses what no machine has the memory for, before it takes any", async () => {
    const { engine, loaded } = fakeEngine(new Map());
    const wide = new GraphBuilder("wide", 21);
    const x = wide.input("x", { dtype: "f32", shape: [2, 2 ** 20] });
    const { types: _, ...graph } = wide.build([
      matMul(x, wide.weight("w", { dtype: "f32", shape: [2 ** 20, 2 ** 28] })),
    ]);
    await expect(probeGraph({ graph, engine })).rejects.toMatchObject({ _tag: "InputError" });
    await expect(probeGraph({ graph, engine })).rejects.toThrow(
      /Cannot run graph "wide" as .* must fit the memory: they take \d+ bytes of \d+, "w" of f32 \[1048576, 268435456\]/,
    );
    const long = new GraphBuilder("long", 21);
    const one = long.input("x", { dtype: "f32", shape: [2, 2 ** 26] });
    const { types: __, ...added } = long.build([add(one, long.weight("w", { dtype: "f32", shape: [1] }))]);
    await expect(probeGraph({ graph: added, engine })).rejects.toThrow(
      /as its inputs may have at most 33554432 numbers for 2 examples: they have 134217728, "x" of f32 \[2, 67108864\]/,
    );
    expect(loaded).toEqual([]);
  });

  test("probeGraph() runs a graph of whose values some have no type, and reads their shapes alone", async () => {
    const results = [
      ["isthmus.shape.MatMul_0:0", createTensor("i64", [2], BigInt64Array.of(3n, 4n))],
      ["isthmus.sample.MatMul_0:0", createTensor("f32", [1], new Float32Array(1))],
    ] as const;
    const { engine, loaded } = fakeEngine(new Map<string, Tensor>(results));
    const graph = buildProduct(false);
    const types = new Map([...(graph.types ?? [])].filter(([name]) => name !== "MatMul_0:0"));
    const probe = await probeGraph({ graph: { ...graph, types }, engine });
    expect(loaded).toHaveLength(1);
    expect(probe.types.get("MatMul_0:0")).toEqual({ dtype: "f32", shape: [3, 4] });
  });
});
