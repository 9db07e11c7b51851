import { at, createCheckpoint, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, wholeSpec } from "@isthmus/symmetry";
import { align, alignMany } from "@isthmus/weight-matching";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { MIXTURE_CONFIGS } from "../../../test/helpers/mixture-configs.ts";

const engine = createOnnxRuntimeEngine();

async function openMixture(config: object, length?: number) {
  const { graph } = networkOfConfig(config, length === undefined ? {} : { length });
  const symmetries = await discoverSymmetries({ graph, engine });
  const spec = wholeSpec(symmetries);
  const network = createCheckpoint(randomWeights(graph, 1));
  const planted = (seed: number) => permute(randomAlignment(spec, seed), network, spec);
  return { architecture: { graph, engine }, symmetries, spec, network, planted };
}

describe("align() of mixtures", () => {
  test.each(Object.entries(MIXTURE_CONFIGS))(
    "finds planted experts and units of %s exactly",
    async (_, config) => {
      const { architecture, symmetries, spec, network, planted } = await openMixture(config);
      const b = planted(5);
      const { aligned } = await align(architecture, [network, b], { seed: 0, symmetries });
      const [only] = aligned;
      expect(only?.summary.verified.passed).toBe(true);
      expect(await distance(at(aligned, 0, "network").network, network)).toBe(0);
      expect(await distance(permute(at(aligned, 0, "network").alignment, b, spec), network)).toBe(0);
    },
  );

  test("finds them beside scales, and by what they do", async () => {
    const { architecture, symmetries, network, planted } = await openMixture(MIXTURE_CONFIGS.mixtral, 6);
    const normalized = await align(architecture, [network, planted(6)], {
      ...{ seed: 0, symmetries, normalize: ["scale"] },
    });
    expect(normalized.aligned[0]?.summary.normalized?.distance.after).toBeLessThan(1e-4);
    const tokens = BigInt64Array.from({ length: 60 }, (_, i) => BigInt((i * 7 + (i >> 3)) % 20));
    const data = createDataSet(createTensor("i64", [10, 6], tokens), undefined, { classes: 20 });
    const byActivations = await align(architecture, [network, planted(7)], {
      ...{ method: "activation", data, seed: 0, symmetries },
    });
    expect(await distance(at(byActivations.aligned, 0, "network").network, network)).toBe(0);
  });

  test("finds them in several networks at once", async () => {
    const { architecture, symmetries, network, planted } = await openMixture(MIXTURE_CONFIGS.qwen3);
    const { aligned } = await alignMany(architecture, [network, planted(8), planted(9)], {
      ...{ seed: 0, many: "tree", symmetries },
    });
    for (const { network: moved, summary } of aligned) {
      expect(summary.verified.passed).toBe(true);
      expect(await distance(moved, network)).toBe(0);
    }
  });
});
