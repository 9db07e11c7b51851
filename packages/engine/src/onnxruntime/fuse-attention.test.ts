import type { Graph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRuntime } from "./find-runtime.ts";
import { fuseAttention } from "./fuse-attention.ts";
import { attentionGraph, runOnRandom } from "./fusion-trials.ts";

const runtime = await findRuntime().start();

/** Counts the fused operators of a graph. */
const countFused = ({ nodes }: Graph) => nodes.filter(({ op }) => op === "GroupQueryAttention").length;

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
        const fused = fuseAttention(graph);
        expect(countFused(fused)).toBe(1);
        expect(await runOnRandom(runtime, fused, threads)).toEqual(
          await runOnRandom(runtime, graph, threads),
        );
      }),
      { numRuns: 25 },
    );
  });

  test("leaves heads alone that the operator does not take", () => {
    const graph = attentionGraph({ examples: 2, length: 5, heads: 2, width: 12 });
    expect(fuseAttention(graph)).toBe(graph);
  });

  test("leaves attention alone of which a value on the way is an output", () => {
    const graph = attentionGraph({ examples: 2, length: 5, heads: 2, width: 8 });
    for (const op of ["Split", "MatMul", "Add", "Softmax"]) {
      const name = graph.nodes.find((node) => node.op === op)?.outputs[0] ?? "";
      const shown = { ...graph, outputs: [...graph.outputs, { name }] };
      expect(fuseAttention(shown)).toBe(shown);
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
    const seeing = { ...graph, constants };
    expect(fuseAttention(seeing)).toBe(seeing);
  });

  test("fuses every layer of a language model of the zoo", () => {
    const data = { exampleShape: [16], classes: 32 };
    const { graph } = parseNetwork("gpt:d3:w32:h4:c16", data);
    const fused = fuseAttention(graph);
    expect(countFused(fused)).toBe(3);
    const ops = fused.nodes.map(({ op }) => op);
    expect(ops).not.toContain("Softmax");
    expect(ops).not.toContain("Split");
  });
});
