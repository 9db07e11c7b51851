import { type Checkpoint, createCheckpoint, createRandom, createTensor, withTensors } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { compareRouting, discoverRouters, realignMerged, realignRouters } from "@isthmus/mixtures";
import { discoverSymmetries, permute, randomAlignment, wholeSpec } from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { MIXTURE_CONFIGS } from "../../../test/helpers/mixture-configs.ts";

const engine = createOnnxRuntimeEngine();
const LENGTH = 6;
const { deepseek3, mixtral } = MIXTURE_CONFIGS;

function open(config: object) {
  const { graph } = networkOfConfig(config, { length: LENGTH });
  return { architecture: { graph, engine }, network: createCheckpoint(randomWeights(graph, 1)) };
}

/** Texts of some of the 20 tokens, from the first. */
function texts(seed: number, { size = 20, first = 0, count = 20 } = {}) {
  const random = createRandom(seed, "texts");
  const tokens = BigInt64Array.from({ length: size * LENGTH }, () => BigInt(first + random.integer(count)));
  return createDataSet(createTensor("i64", [size, LENGTH], tokens), undefined, { classes: 20 });
}

/** Returns a network whose routers are others. */
async function withRouters(network: Checkpoint, names: readonly string[], seed: number): Promise<Checkpoint> {
  const random = createRandom(seed, "routers");
  const changed = new Map<string, Awaited<ReturnType<Checkpoint["read"]>>>();
  for (const name of names) {
    const { shape, data } = await network.read(name);
    const moved = (data as Float32Array).map((value) => value + 0.5 * random.normal());
    changed.set(name, createTensor("f32", shape, moved));
  }
  return withTensors(network, changed);
}

describe("discoverRouters()", () => {
  test.each(Object.entries({ ...MIXTURE_CONFIGS, grouped: { ...deepseek3, n_group: 2, topk_group: 1 } }))(
    "finds the routers of %s, whose shares choose two experts",
    async (family, config) => {
      const { architecture, network } = open(config);
      const routers = await discoverRouters(architecture);
      const isDeepSeek = "n_routed_experts" in config;
      expect(routers.map(({ weight, experts, width }) => [weight, experts, width])).toEqual(
        (isDeepSeek ? [1] : [0, 1]).map((layer) => [
          expect.stringMatching(new RegExp(`layers\\.${layer}\\..*gate\\.weight$`)),
          ...[4, 8],
        ]),
      );
      const kind = isDeepSeek && family !== "deepseek2" ? "sigmoid" : "softmax";
      expect(routers.every(({ probabilities }) => probabilities === kind)).toBe(true);
      const same = await compareRouting(architecture, [network, network], texts(1), { routers });
      expect(same).toMatchObject({ shared: 1, same: 1, divergence: 0, tokens: 20 * LENGTH });
    },
  );
});

describe("realignRouters()", () => {
  test.each([
    ["softmax", mixtral],
    ["sigmoids", deepseek3],
  ])("changes nothing beyond rounding in a mixture of %s that was not merged", async (_, config) => {
    const { architecture, network } = open(config);
    const parents = [1, 2].map((seed) => ({ network, data: texts(seed) }));
    const kept = await realignRouters(architecture, network, parents);
    expect(await distance(kept.network, network)).toBe(0);
    const scored = await realignRouters(architecture, network, parents, { keep: "scores" });
    expect(scored.routers.every(({ change }) => change < 1e-4)).toBe(true);
  });

  test("gives the routers of the only parent back, and diverges less from two", async () => {
    const { architecture, network } = open(mixtral);
    const routers = await discoverRouters(architecture);
    const names = routers.map(({ weight }) => weight);
    const [a, b] = [await withRouters(network, names, 1), await withRouters(network, names, 2)];
    const merged = average([a, b]);
    for (const keep of ["routers", "scores"] as const) {
      const one = await realignRouters(architecture, merged, [{ network: a, data: texts(1) }], {
        keep,
        routers,
        regularization: 0.99,
        tolerance: 1e-7,
      });
      expect((await compareRouting(architecture, [a, one.network], texts(3), { routers })).shared).toBe(1);
    }
    const done: number[] = [];
    // Texts of other tokens leave room for both routers in one.
    const parents = [a, b].map((parent, i) => ({
      network: parent,
      data: texts(i, { size: 40, first: 4 * i, count: 4 }),
    }));
    const both = await realignMerged(architecture, merged, parents, {
      align: false,
      routers,
      onProgress: (progress) => done.push(progress.done),
    });
    const mean = (when: "before" | "after") =>
      both.routing.reduce((sum, agreement) => sum + agreement[when].divergence / 2, 0);
    expect(mean("after")).toBeLessThan(0.8 * mean("before"));
    expect(done.at(-1)).toBe(1);
    expect(done).toEqual(done.toSorted((x, y) => x - y));
  });

  test("aligns parents whose experts are at other places", async () => {
    const { architecture, network } = open(mixtral);
    const spec = wholeSpec(await discoverSymmetries(architecture));
    const moved = permute(randomAlignment(spec, 4), network, spec);
    const parents = [network, moved].map((parent) => ({ network: parent, data: texts(1) }));
    const { routing, routers } = await realignMerged(architecture, network, parents);
    expect(routing.map(({ before }) => before.same)).toEqual([1, 1]);
    expect(routers.every(({ change }) => change === 0)).toBe(true);
  });

  test("names what it cannot use", async () => {
    const { architecture, network } = open(mixtral);
    const parent = { network, data: texts(1) };
    await expect(realignRouters(architecture, network, [])).rejects.toThrow(
      /must be a network that was merged/,
    );
    await expect(realignRouters(architecture, network, [parent], { regularization: 2 })).rejects.toThrow(
      /regularization/,
    );
    const llama = open({ ...mixtral, model_type: "llama", architectures: ["LlamaForCausalLM"] });
    const dense = realignRouters(llama.architecture, llama.network, [{ ...parent, network: llama.network }]);
    await expect(dense).rejects.toThrow(/must have a mixture of experts/);
    await expect(realignRouters(architecture, llama.network, [parent])).rejects.toThrow(/must|lack/);
  });
});
