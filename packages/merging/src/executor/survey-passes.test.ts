import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { scanTensor } from "@isthmus/interpolation";
import { describe, expect, it } from "vitest";
import { planMerge } from "../merge.ts";
import { defineMergeMethod, type MergedTensor } from "../merge-method.ts";
import { linear } from "../methods/linear.ts";
import { slerp } from "../methods/slerp.ts";
import { countPasses, estimateMerge } from "./estimate-merge.ts";

const network: Checkpoint = createCheckpoint({
  w: createTensor("f32", [100, 100], new Float32Array(10_000).fill(1)),
  steps: createTensor("i64", [4], new BigInt64Array(4)),
});
const networks = [network, network];

/** A method whose survey reads all networks several times. */
const surveying = (passes: number, keepsTensor = false) =>
  defineMergeMethod({
    name: "surveying",
    description: "Reads.",
    source: "a test, 2026",
    parameters: {},
    networks: { least: 2, base: "none" },
    keepsTensor,
    async survey({ networks: all, name }: MergedTensor) {
      for (let i = 0; i < passes; i++) await scanTensor(all, name, () => {});
    },
    blendInto() {},
  });

describe("countPasses()", () => {
  it("finds out how often surveys read, without reading", async () => {
    const passesOf = async (method: Parameters<typeof planMerge>[1]["method"], parameters = {}) =>
      Object.fromEntries(await countPasses(planMerge(networks, { method, parameters })));
    expect(await passesOf(linear as never)).toEqual({ w: 0, steps: 0 });
    expect(await passesOf(slerp as never, { t: 0.5 })).toEqual({ w: 1, steps: 0 });
    expect(await passesOf(surveying(3) as never)).toEqual({ w: 3, steps: 0 });
  });
});

describe("estimateMerge()", () => {
  it("counts what surveys read, and copies once", async () => {
    const estimate = await estimateMerge(planMerge(networks, { method: surveying(2) }));
    expect(estimate).toMatchObject({ readBytes: 3 * 2 * 40_000 + 32, writtenBytes: 40_032, threads: 1 });
  });

  it("counts surveys that hold tensors, and takes fewer threads where memory is short", async () => {
    const streaming = await estimateMerge(planMerge(networks, { method: surveying(1) }), { threads: 2 });
    const holding = await estimateMerge(planMerge(networks, { method: surveying(1, true) }), { threads: 2 });
    expect(holding.peakBytes - streaming.peakBytes).toBe(3 * 40_000);
    const memory = streaming.peakBytes - 1;
    const options = { threads: 2, memory };
    expect((await estimateMerge(planMerge(networks, { method: surveying(1) }), options)).threads).toBe(1);
  });
});
