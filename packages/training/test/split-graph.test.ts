import { gradient, hessianVectorProduct, vectorName } from "@isthmus/autodiff";
import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomInputs, randomWeights, specialize } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { smallMlp } from "../../../test/helpers/small-networks.ts";
import { splitGraph } from "../src/gradients/split-graph.ts";
import { attachLoss } from "../src/loss/attach-loss.ts";

const engine = createOnnxRuntimeEngine();

async function objectiveOf() {
  const typed = await specialize({ graph: smallMlp(), engine }, { batch: 3 });
  const attached = attachLoss(typed, { kind: "cross-entropy" });
  return { ...attached, graph: { ...attached.graph, outputs: [{ name: attached.loss }] } };
}

describe("splitGraph()", () => {
  it("gives two graphs that compute together what the graph computes, the second from vectors alone", async () => {
    const { graph, loss } = await objectiveOf();
    const product = hessianVectorProduct(graph, { loss });
    const names = new Set([...graph.weights.keys()].map(vectorName));
    const split = splitGraph(product, names);
    expect(split?.fixed.inputs.some(({ name }) => names.has(name))).toBe(false);
    expect(split?.bytes).toBeGreaterThan(0);
    const isWholeAgain = (split?.fixed.nodes.length ?? 0) + (split?.varying.nodes.length ?? 0);
    expect(isWholeAgain).toBeLessThanOrEqual(product.nodes.length);
    const random = randomInputs(product, 3, 1);
    const labels: Tensor = { dtype: "i64", shape: [3], data: BigInt64Array.of(0n, 1n, 2n) };
    const feeds = new Map([...random, ...randomWeights(graph, 0), ["labels", labels] as const]);
    const run = async (part: typeof product, tensors: ReadonlyMap<string, Tensor>) => {
      const session = await engine.load(part);
      const results = await session.run(tensors);
      await session.release();
      return results;
    };
    const whole = await run(product, feeds);
    const before = await run(split?.fixed ?? product, feeds);
    const parts = await run(split?.varying ?? product, new Map([...feeds, ...before]));
    expect([...parts.keys()]).toEqual([...whole.keys()]);
    for (const [name, { data }] of whole) {
      const found = parts.get(name)?.data ?? [];
      data.forEach((value, i) => {
        expect(Number(found[i])).toBeCloseTo(Number(value), 5);
      });
    }
  });

  it("leaves a graph whole that no varying input reaches, or all of which one reaches", async () => {
    const { graph, loss } = await objectiveOf();
    expect(splitGraph(gradient(graph, { loss }), new Set(["v(none)"]))).toBeUndefined();
    const typed = await specialize({ graph: smallMlp(), engine }, { batch: 3 });
    expect(splitGraph(typed, new Set(typed.inputs.map(({ name }) => name)))).toBeUndefined();
  });
});
