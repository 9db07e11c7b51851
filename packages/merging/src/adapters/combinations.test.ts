import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createRandom, createTensor, openCheckpoint } from "@isthmus/core";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { type Adapter, createAdapter } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";
import { applyAdapter } from "./apply-adapter.ts";
import { PEFT_COMBINATIONS } from "./combine/choose-combination.ts";
import { type MergeAdaptersOptions, mergeAdapters } from "./merge-adapters.ts";
import { openAdapter } from "./open-adapter.ts";

const golden = (name: string) =>
  fileURLToPath(new URL(`../../test/golden/adapters/${name}`, import.meta.url));
const base = await openCheckpoint(golden("base.safetensors"));
const ofPeft = await Promise.all(["plain", "stabilized", "small"].map((name) => openAdapter(golden(name))));
const further: Record<string, Record<string, number[]>> = JSON.parse(
  await readFile(golden("merged/combinations.json"), "utf8"),
);
afterAll(async () => {
  await base.close();
  for (const adapter of ofPeft) await adapter.close();
});

const SETTINGS: Readonly<Record<string, MergeAdaptersOptions>> = {
  ties_frequency: { combination: "ties", density: 0.5, majoritySign: "frequency" },
  ties_svd: { combination: "ties_svd", density: 0.5, rank: 3 },
  dare_ties: { combination: "dare_ties" },
  dare_linear: { combination: "dare_linear" },
  dare_ties_svd: { combination: "dare_ties_svd", majoritySign: "frequency" },
  dare_linear_svd: { combination: "dare_linear_svd" },
  magnitude_prune: { combination: "magnitude_prune", density: 0.4 },
  magnitude_prune_svd: { combination: "magnitude_prune_svd", density: 0.4 },
};

const [OUT, IN, RANK] = [24, 20, 3];

/** An adapter of one module, whose factors may be turned against each other, which changes no product. */
function randomAdapter(seed: number, turn = 0): Adapter {
  const { normal } = createRandom(seed, "numbers");
  const a = Float32Array.from({ length: RANK * IN }, normal);
  const b = Float32Array.from({ length: OUT * RANK }, normal);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  for (let i = 0; i < IN; i++) {
    const [x, y] = [a[i]!, a[IN + i]!];
    a.set([cos * x - sin * y], i);
    a.set([sin * x + cos * y], IN + i);
  }
  for (let i = 0; i < OUT; i++) {
    const [x, y] = [b[i * RANK]!, b[i * RANK + 1]!];
    b.set([cos * x - sin * y, sin * x + cos * y], i * RANK);
  }
  const tensors = {
    "base_model.model.q.lora_A.weight": createTensor("f32", [RANK, IN], a),
    "base_model.model.q.lora_B.weight": createTensor("f32", [OUT, RANK], b),
  };
  const config = parseAdapterConfig({ peft_type: "LORA", r: RANK, lora_alpha: 2 * RANK }, "test");
  return createAdapter(`random ${seed}`, createCheckpoint(tensors), config);
}

const zeros = createCheckpoint({ "q.weight": createTensor("f64", [OUT, IN], new Float64Array(OUT * IN)) });

async function changeOf(adapters: readonly Adapter[], options: MergeAdaptersOptions): Promise<Float64Array> {
  const { data } = await applyAdapter(zeros, mergeAdapters(adapters, options)).read("q.weight");
  return data as Float64Array;
}

const farthest = (a: Float64Array, b: Float64Array) =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

describe("combinations of PEFT", () => {
  test.each(Object.entries(SETTINGS))("%s is that of add_weighted_adapter", async (name, settings) => {
    const merged = applyAdapter(base, mergeAdapters(ofPeft, { ...settings, weights: [0.7, -0.4, 0.5] }));
    for (const [tensor, expected] of Object.entries(further[name] ?? {})) {
      const { data } = await merged.read(tensor);
      expect(data.length).toBe(expected.length);
      // The golden numbers have six digits; PEFT and we sum in another order in f32.
      for (const [i, x] of expected.entries()) {
        expect(Math.abs(Number(data[i]) - x), tensor).toBeLessThan(5e-6);
      }
    }
  });

  test("depend on products alone if they are of products", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(999), fc.double({ min: 0.3, max: 2.8, noNaN: true }), async (seed, turn) => {
        const [a, b, turned] = [randomAdapter(seed), randomAdapter(seed + 1), randomAdapter(seed + 1, turn)];
        for (const combination of PEFT_COMBINATIONS) {
          const options = { combination, density: 0.5, seed, rank: IN, weights: [1, 0.5] };
          const [x, y] = [await changeOf([a, b], options), await changeOf([a, turned], options)];
          const moved = x.filter((value, i) => Math.abs(value - y[i]!) > 1e-3).length;
          // An element at the cut of a density may fall on either side after rounding.
          if (combination === "cat" || combination.endsWith("svd"))
            expect(moved, combination).toBeLessThan(4);
          else expect(moved, combination).toBeGreaterThan(100);
        }
      }),
      { numRuns: 8 },
    ));

  test("keep elements by chance as often as asked for, and scale the others up", async () => {
    const one = randomAdapter(5);
    const full = await changeOf([one], { combination: "cat" });
    const options = { combination: "dare_linear_svd", density: 0.4, rank: IN } as const;
    const kept = await changeOf([one], { ...options, seed: 1 });
    const present = [...kept].filter((x) => Math.abs(x) > 1e-3).length;
    // 480 draws: a standard deviation of 10.7.
    expect(Math.abs(present - 0.4 * OUT * IN)).toBeLessThan(60);
    kept.forEach((x, i) => {
      if (Math.abs(x) > 1e-3) expect(x).toBeCloseTo(full[i]! / 0.4, 3);
    });
    expect(await changeOf([one], { ...options, seed: 1 })).toEqual(kept);
    expect(farthest(await changeOf([one], { ...options, seed: 2 }), kept)).toBeGreaterThan(1);
  });

  test("refuse what has no meaning, with what to do", () => {
    const [a, b] = [randomAdapter(1), randomAdapter(2)];
    expect(() => mergeAdapters([a, b], { combination: "dare_ties", density: 0 })).toThrow(
      "above 0 and at most 1: it is 0",
    );
    expect(() => mergeAdapters([a], { combination: "ties_svd", density: 1.5 })).toThrow("in [0, 1]");
    expect(() => mergeAdapters([a], { combination: "magnitude_prune_svd", rank: 0 })).toThrow("it is 0");
    expect(() => mergeAdapters([a], { combination: "linear_svd" as "svd" })).toThrow("known are linear, svd");
  });
});
