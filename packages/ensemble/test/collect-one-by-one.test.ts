import type { Checkpoint } from "@isthmus/core";
import { bindWeights } from "@isthmus/graph";
import { expect, it } from "vitest";
import { createMemoryStore } from "../src/collect/network-store.ts";
import { type CollectOneByOneOptions, collectOneByOne, type OneByOneProgress } from "../src/index.ts";
import { data, smallArchitecture, trained } from "./small-task.ts";

const architecture = smallArchitecture();
const training = { seed: 3, epochs: 1, batch: 12, threads: 1, members: 2 };

const valuesOf = async (network: Checkpoint) =>
  [...(await bindWeights(architecture.graph, network)).values()].map(({ data: values }) => [...values]);

it.each<readonly [string, Pick<CollectOneByOneOptions, "method" | "keepsStart">, number]>([
  ["draws from the posterior", { method: "posterior" }, 2],
  ["trains vertices", { method: "spro" }, 2],
  ["keeps the first vertex and trains the others", { method: "spro", keepsStart: true }, 3],
])(
  "collectOneByOne() %s, and goes on after the networks that a run left to the same ones",
  async (_, method, networks) => {
    const start = await trained(0);
    const whole = createMemoryStore();
    const cost = await collectOneByOne(architecture, start, data, { ...training, ...method, store: whole });
    expect(cost).toEqual({ networks, steps: 5 });
    const stored = await Promise.all(
      Array.from({ length: networks }, async (__, index) => valuesOf(await whole.open(index))),
    );
    if (method.keepsStart) expect(stored[0]).toEqual(await valuesOf(start));
    for (let kept = 1; kept <= networks; kept++) {
      const store = createMemoryStore();
      for (let index = 0; index < kept; index++) await store.save(index, await whole.open(index));
      const seen: OneByOneProgress[] = [];
      const onProgress = (progress: OneByOneProgress) => void seen.push(progress);
      await collectOneByOne(architecture, start, data, { ...training, ...method, store, kept, onProgress });
      for (const [index, values] of stored.entries())
        expect(await valuesOf(await store.open(index))).toEqual(values);
      expect(new Set(seen.map(({ finished }) => finished)).size).toBe(networks - kept);
    }
  },
);
