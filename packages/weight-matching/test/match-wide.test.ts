import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { permute, randomAlignment } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { networkCase } from "../../../test/helpers/network-cases.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";

const engine = createOnnxRuntimeEngine();

/** Layers of so many units that weights are read by units, and the last one's bias is bounded alone. */
function wideMlp() {
  const b = new GraphBuilder();
  const first = b.op("Relu", [b.linear(b.input("x", [6]), "l0", 6, 24)]);
  const second = b.op("Relu", [b.linear(first, "l1", 24, 140)]);
  const third = b.op("Relu", [b.linear(second, "l2", 140, 1100)]);
  return b.output(b.linear(third, "l3", 1100, 4)).build("wide mlp");
}

const { graph, spec } = await networkCase(wideMlp());
const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
const architecture = { spec, graph: undefined, engine };

describe("matchWeights() of wide layers", () => {
  test("finds in memory what it finds without, and the same bound", async () => {
    expect(spec.symmetries.map(({ size }) => size)).toEqual([24, 140, 1100]);
    const options = { seed: 1, restarts: 1 };
    const loaded = await matchWeights(architecture, [a, b], options);
    const streamed = await matchWeights(architecture, [a, b], { ...options, memory: 2 ** 28 });
    expect(loaded.alignment).toEqual(streamed.alignment);
    expect(loaded.objective.after).toBeCloseTo(streamed.objective.after, 6);
    expect(loaded.bound).toBeCloseTo(streamed.bound, 2);
  });

  test("finds what was planted", async () => {
    const planted = permute(randomAlignment(spec, 3), a, spec);
    const { alignment } = await matchWeights(architecture, [a, planted], { seed: 1, restarts: 1 });
    const found = permute(alignment, planted, spec);
    for (const name of spec.weights.keys()) expect(await found.read(name), name).toEqual(await a.read(name));
  });

  test("no alignment exceeds the bound, which is near for a network that hardly differs", async () => {
    const near = permute(randomAlignment(spec, 4), a, spec);
    const bias = await near.read("l2.bias");
    const waves = Float32Array.from({ length: bias.data.length }, (_, i) => Math.sin(i) / 10);
    const noisy = {
      ...near,
      read: async (name: string) => (name === "l2.bias" ? { ...bias, data: waves } : near.read(name)),
    };
    const { bound, objective } = await matchWeights(architecture, [a, noisy], { seed: 1, restarts: 1 });
    expect(objective.after).toBeLessThanOrEqual(bound);
    expect(objective.after).toBeGreaterThan(0.9 * bound);
  });

  test("stops between the last sweep and the result", async () => {
    const controller = new AbortController();
    const run = matchWeights(architecture, [a, b], {
      seed: 1,
      restarts: 1,
      maxSweeps: 1,
      signal: controller.signal,
      onProgress: ({ sweep }) => {
        if (sweep === 1) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
  });
});
