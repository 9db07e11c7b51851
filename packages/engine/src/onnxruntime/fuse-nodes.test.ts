import type { Graph } from "@isthmus/graph";
import { GraphBuilder, gelu, gemm } from "@isthmus/graph/builder";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRuntime } from "./find-runtime.ts";
import { fuseGelu } from "./fuse-gelu.ts";
import { fuseNodes } from "./fuse-nodes.ts";
import { geluGraph, runOnRandom } from "./fusion-trials.ts";

const runtime = await findRuntime().start();

const operators = ({ nodes }: Graph) => nodes.map(({ op }) => op);

describe("fuseGelu()", () => {
  test("keeps the bits of products of up to 128 terms, on one thread and on two", async () => {
    const sizes = fc.tuple(
      fc.integer({ min: 2, max: 70 }),
      fc.integer({ min: 1, max: 128 }),
      fc.integer({ min: 1, max: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), fc.constantFrom(1, 2), async (size, approximate, threads) => {
        const graph = geluGraph(size, approximate);
        const fused = fuseGelu(graph);
        expect(operators(fused)).toEqual(["Gemm", approximate ? "FastGelu" : "BiasGelu"]);
        expect(await runOnRandom(runtime, fused, threads)).toEqual(
          await runOnRandom(runtime, graph, threads),
        );
      }),
      { numRuns: 30 },
    );
  });

  test("differs by rounding for products of one row", async () => {
    const graph = geluGraph([1, 32, 64], true);
    const [plain, fused] = [await runOnRandom(runtime, graph), await runOnRandom(runtime, fuseGelu(graph))];
    plain.forEach((value, i) => {
      expect(fused[i]).toBeCloseTo(value, 5);
    });
  });

  test("leaves products of more terms alone, and those that are read elsewhere", () => {
    const long = geluGraph([2, 129, 4], true);
    expect(fuseGelu(long)).toBe(long);
    const graph = geluGraph([2, 8, 4], true);
    const name = graph.nodes[0]?.outputs[0] ?? "";
    const shown = { ...graph, outputs: [...graph.outputs, { name }] };
    expect(fuseGelu(shown)).toBe(shown);
  });

  test("leaves products alone whose bias is not one number for each column", () => {
    const builder = new GraphBuilder("residual", 21);
    const x = builder.input("x", { dtype: "f32", shape: [4, 4] });
    const [weight, bias] = ["weight", "bias"].map((name) =>
      builder.weight(name, { dtype: "f32", shape: [4, 4] }),
    );
    if (weight === undefined || bias === undefined) throw new Error("two weights");
    const graph = builder.build([gelu(gemm(x, weight, { bias }))]);
    expect(fuseGelu(graph)).toBe(graph);
  });
});

describe("fuseNodes()", () => {
  test("fuses attention and GELU of a language model", async () => {
    const { graph } = parseNetwork("gpt:d2:w32:h4:c16", { exampleShape: [16], classes: 32 });
    const ops = operators(await fuseNodes(runtime, graph));
    expect(ops.filter((op) => op === "GroupQueryAttention")).toHaveLength(2);
    expect(ops.filter((op) => op === "FastGelu")).toHaveLength(2);
  });

  test("leaves a graph alone on a build without the operators", async () => {
    const { graph } = parseNetwork("gpt:d2:w32:h4:c16", { exampleShape: [16], classes: 32 });
    const lacking = {
      ...runtime,
      open: () => Promise.reject(new Error("com.microsoft is not a registered domain")),
    };
    expect(await fuseNodes(lacking, graph)).toBe(graph);
  });
});
