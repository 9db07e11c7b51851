import { createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import {
  compose,
  decodeAlignment,
  discoverSymmetries,
  encodeAlignment,
  invert,
  permute,
  randomAlignment,
  stackParts,
  verifyAlignment,
  wholeAlignment,
  wholeSpec,
} from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { MIXTURE_CONFIGS } from "../../../test/helpers/mixture-configs.ts";
import { splitAlignment } from "../src/exchange/split-alignment.ts";

const engine = createOnnxRuntimeEngine();

async function openMixture(config: object) {
  const { graph } = networkOfConfig(config);
  const symmetries = await discoverSymmetries({ graph, engine });
  const spec = wholeSpec(symmetries);
  if (spec.joined === undefined) throw new Error("no parts were joined");
  return { graph, symmetries, spec, joined: spec.joined };
}

describe("wholeSpec()", () => {
  test.each(Object.entries(MIXTURE_CONFIGS))(
    "has elements that change no output of %s",
    async (_, config) => {
      const { graph, symmetries, spec, joined } = await openMixture(config);
      const names = spec.symmetries.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/experts$/)]));
      expect(new Set(names).size).toBe(names.length);
      const network = createCheckpoint(randomWeights(graph, 1));
      await fc.assert(
        fc.asyncProperty(fc.nat(1e6), async (seed) => {
          const alignment = randomAlignment(spec, seed);
          const moved = permute(alignment, network, spec);
          const proof = await verifyAlignment({ graph, engine }, [network, moved], { seed });
          expect(proof).toMatchObject({ passed: true });
          expect(await distance(permute(invert(alignment), moved, spec), network)).toBe(0);
          // Both steps of an alignment are the whole of it, and so is its text.
          const { orders, alignment: within } = splitAlignment(spec, joined, alignment);
          expect(wholeAlignment(symmetries, within, orders)).toEqual(alignment);
          expect(decodeAlignment(spec, encodeAlignment(spec, alignment))).toEqual(alignment);
          // Stacked networks are permuted alike.
          const stacked = stackParts(spec, [network, moved]);
          const [one = network, two = network] = stacked.networks;
          expect(await distance(permute(alignment, one, stacked.spec), two)).toBe(0);
        }),
        { numRuns: 4 },
      );
    },
  );

  test("has the group's law", async () => {
    const { graph, spec } = await openMixture(MIXTURE_CONFIGS.mixtral);
    const network = createCheckpoint(randomWeights(graph, 2));
    const [p, q] = [randomAlignment(spec, 3), randomAlignment(spec, 4)];
    const twice = permute(p, permute(q, network, spec), spec);
    expect(await distance(permute(compose(p, q), network, spec), twice)).toBe(0);
  });

  test("is the plain one without parts, or with experts that are chosen in groups", async () => {
    const { deepseek3 } = MIXTURE_CONFIGS;
    const llama = { ...MIXTURE_CONFIGS.mixtral, model_type: "llama", architectures: ["LlamaForCausalLM"] };
    for (const config of [llama, { ...deepseek3, n_group: 2, topk_group: 1 }]) {
      const { graph } = networkOfConfig(config);
      const symmetries = await discoverSymmetries({ graph, engine });
      expect(wholeSpec(symmetries)).toBe(symmetries.spec);
      expect(wholeAlignment(symmetries, { source: new Int32Array() }).source).toHaveLength(0);
    }
  });

  test("refuses networks whose parts differ in type", async () => {
    const { graph, spec, joined } = await openMixture(MIXTURE_CONFIGS.mixtral);
    const weights = randomWeights(graph, 1);
    const [first = "", second = ""] = [...joined.stacks.values()][0] ?? [];
    const tensor = weights.get(second);
    if (tensor === undefined) throw new Error("no weight");
    const doubled = {
      ...tensor,
      dtype: "f64" as const,
      data: Float64Array.from(tensor.data as Float32Array),
    };
    const mixed = createCheckpoint(new Map([...weights, [second, doubled]]));
    expect(() => stackParts(spec, [mixed])).toThrow(/must have the type and shape/);
    const short = createCheckpoint(new Map([...weights].filter(([name]) => name !== first)));
    expect(() => stackParts(spec, [short])).toThrow(/is not there/);
  });
});
