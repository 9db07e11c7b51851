import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Engine } from "@isthmus/graph";
import { GraphBuilder, matMul, mul } from "@isthmus/graph/builder";
import { describe, expect, it } from "vitest";
import { loadDerivedGraph } from "../src/gradients/load-derived-graph.ts";

const SQUARE = { dtype: "f32", shape: [2, 2] } as const;

const square = (...values: readonly number[]): Tensor => ({ ...SQUARE, data: Float32Array.from(values) });

/** The product of a squared weight and a vector, of which the square is the same for every vector. */
function productGraph() {
  const b = new GraphBuilder("product", 21);
  const w = b.weight("w", SQUARE);
  return b.build([b.rename(matMul(mul(w, w), b.input("v", SQUARE)), "y")]);
}

/** An engine whose sessions have a memory of their own, and the names of what is copied there, by copy. */
function engineWithMemory(): { engine: Engine; copies: string[][] } {
  const native = createOnnxRuntimeEngine();
  const copies: string[][] = [];
  const engine: Engine = {
    name: "with memory",
    async load(graph) {
      const session = await native.load(graph);
      const held = new Map<string, Tensor>();
      return {
        run: (feeds) => session.run(new Map([...held, ...feeds])),
        release: () => session.release(),
        memory: {
          async hold(tensors) {
            copies.push([...tensors.keys()]);
            for (const [name, { data, ...info }] of tensors) held.set(name, { ...info, data: data.slice() });
          },
          readInto: () => Promise.reject(new Error("nothing is read")),
        },
      };
    },
  };
  return { engine, copies };
}

const WEIGHT = square(1, 2, 3, 4);
const VECTORS = [square(1, 0, 0, 1), square(0, 1, 1, 0), square(2, 0, 0, 2)];

describe("loadDerivedGraph()", () => {
  it("copies to a device what never changes once, and what varies for every run", async () => {
    const { engine, copies } = engineWithMemory();
    const use = { heldBatches: undefined, varying: new Set(["v"]), batches: 1 };
    const { hold, run, release } = await loadDerivedGraph(engine, productGraph(), use);
    const products: unknown[] = [];
    for (const v of VECTORS) {
      const fed = await hold(new Map([["w", WEIGHT] as const, ["v", v] as const]));
      products.push((await run(fed, 0)).get("y")?.data);
    }
    await release();
    expect(products.map((each) => [...(each as Float32Array)])).toEqual([
      [1, 4, 9, 16],
      [4, 1, 16, 9],
      [2, 8, 18, 32],
    ]);
    expect(copies).toEqual([["w", "v"], ["v"], ["v"]]);
  });

  it("copies all tensors again if any may change", async () => {
    const { engine, copies } = engineWithMemory();
    const use = { heldBatches: undefined, varying: undefined, batches: 1 };
    const { hold, release } = await loadDerivedGraph(engine, productGraph(), use);
    for (const v of VECTORS) await hold(new Map([["w", WEIGHT] as const, ["v", v] as const]));
    await release();
    expect(copies).toEqual([
      ["w", "v"],
      ["w", "v"],
      ["w", "v"],
    ]);
  });

  it("overwrites results once as many batches are held as asked for, and not before", async () => {
    const use = { heldBatches: 2, varying: undefined, batches: 3 };
    const { run, release } = await loadDerivedGraph(createOnnxRuntimeEngine(), productGraph(), use);
    const results: (Tensor | undefined)[] = [];
    for (const v of VECTORS) {
      results.push((await run(new Map([["w", WEIGHT] as const, ["v", v] as const]), 0)).get("y"));
    }
    await release();
    expect([...(results[1]?.data ?? [])]).toEqual([4, 1, 16, 9]);
    expect([...(results[2]?.data ?? [])]).toEqual([2, 8, 18, 32]);
    expect(results[0]?.data).toBe(results[2]?.data);
    expect(results[0]?.data).not.toBe(results[1]?.data);
  });
});
