import type { Graph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRuntime } from "./find-runtime.ts";
import { fuseAttention, fusibleAttention } from "./fuse-attention.ts";
import { attentionGraph, fusesAttention, runOnRandom } from "./fuses-attention.ts";

const runtime = await findRuntime().start();

const fused = (graph: Graph) => fuseAttention(graph, fusibleAttention(graph));

describe("fuseAttention()", () => {
  test("keeps the bits of attention of every size, on one thread and on two", async () => {
    const sizes = fc.record({
      examples: fc.integer({ min: 1, max: 5 }),
      length: fc.integer({ min: 1, max: 70 }),
      heads: fc.integer({ min: 1, max: 4 }),
      width: fc.constantFrom(8, 16, 24, 32, 40, 64),
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(1, 2), async (size, threads) => {
        const graph = attentionGraph(size);
        expect(fusibleAttention(graph)).toHaveLength(1);
        expect(await runOnRandom(runtime, fused(graph), threads)).toEqual(
          await runOnRandom(runtime, graph, threads),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("leaves heads alone that the operator does not take", () => {
    expect(fusibleAttention(attentionGraph({ examples: 2, length: 5, heads: 2, width: 12 }))).toEqual([]);
  });

  test("leaves attention alone of which a value on the way is an output", () => {
    const graph = attentionGraph({ examples: 2, length: 5, heads: 2, width: 8 });
    for (const op of ["Split", "MatMul", "Add", "Softmax"]) {
      const name = graph.nodes.find((node) => node.op === op)?.outputs[0] ?? "";
      expect(fusibleAttention({ ...graph, outputs: [...graph.outputs, { name }] })).toEqual([]);
    }
  });

  test("leaves attention alone whose mask is not causal", () => {
    const graph = attentionGraph({ examples: 2, length: 5, heads: 2, width: 8 });
    const constants = new Map(
      [...graph.constants].map(([name, tensor]) => {
        if (tensor.data.length !== 25) return [name, tensor];
        return [name, { ...tensor, data: (tensor.data as Float32Array).with(3, 0) }];
      }),
    );
    expect(fusibleAttention({ ...graph, constants })).toEqual([]);
  });

  test("fuses every layer of a language model of the zoo", () => {
    const data = { exampleShape: [16], classes: 32 };
    const { graph } = parseNetwork("gpt:d3:w32:h4:c16", data);
    expect(fusibleAttention(graph)).toHaveLength(3);
    const ops = fused(graph).nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === "GroupQueryAttention")).toHaveLength(3);
    expect(ops).not.toContain("Softmax");
    expect(ops).not.toContain("Split");
  });
});

test("fusesAttention() finds the operator in the native build", async () => {
  expect(await fusesAttention(runtime)).toBe(true);
});
