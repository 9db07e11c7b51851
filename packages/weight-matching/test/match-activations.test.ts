import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { type MatchActivationsOptions, matchActivations } from "@isthmus/weight-matching";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallNetworks } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();

interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly symmetries: Symmetries;
  readonly data: DataSet;
}

async function caseOf(graph: Graph): Promise<Case> {
  const shape = (graph.inputs[0]?.shape ?? []).slice(1).map(Number);
  const data = randomExamples(shape, { size: 64 });
  return { name: graph.name, graph, symmetries: await discoverSymmetries({ graph, engine }), data };
}

const graphs = smallNetworks();
const cases = await Promise.all(graphs.map(caseOf));
const [mlp] = cases as [Case, ...Case[]];

const match = (
  { graph, symmetries, data }: Case,
  [a, b]: readonly [Checkpoint, Checkpoint],
  options: MatchActivationsOptions = {},
) => matchActivations({ graph, engine, symmetries }, [a, b], data, options);

const networkOf = ({ graph }: Case, seed: number) => randomNetwork(graph, seed);

describe("matchActivations()", () => {
  test.each(cases)("undoes planted permutations of $name", async (own) => {
    const a = networkOf(own, 1);
    for (let seed = 0; seed < 3; seed++) {
      const planted = permute(randomAlignment(own.symmetries.spec, seed), a, own.symmetries.spec);
      const { alignment, objective } = await match(own, [a, planted]);
      expect(await distance(a, permute(alignment, planted, own.symmetries.spec))).toBe(0);
      expect(objective.after).toBeGreaterThanOrEqual(objective.before);
    }
  });

  test.each(["correlation", "covariance", "product"] as const)(
    "undoes them by %s over all values",
    async (similarity) => {
      for (const own of cases.slice(0, 3)) {
        const { spec } = own.symmetries;
        const a = networkOf(own, 2);
        const planted = permute(randomAlignment(spec, 7), a, spec);
        const { alignment } = await match(own, [a, planted], { similarity, values: "all" });
        expect(await distance(a, permute(alignment, planted, spec))).toBe(0);
      }
    },
  );

  test("does not depend on the batch size", async () => {
    const pair = [networkOf(mlp, 1), networkOf(mlp, 2)] as const;
    const one = await match(mlp, pair, { batchSize: 5 });
    const all = await match(mlp, pair, { batchSize: 64 });
    expect([...one.alignment.source]).toEqual([...all.alignment.source]);
    expect(one.objective.after).toBeCloseTo(all.objective.after, 5);
  });

  test("leaves dead units in place, without NaN", async () => {
    const weights = randomWeights(mlp.graph, 1);
    const bias = weights.get("l0.bias");
    weights.set("l0.bias", { dtype: "f32", shape: bias?.shape ?? [], data: new Float32Array(16).fill(-1e4) });
    const dead = createCheckpoint(weights);
    const { alignment, objective } = await match(mlp, [dead, dead]);
    expect([...alignment.source]).toEqual([...alignment.source.keys()]);
    expect(objective.after).toBeCloseTo(objective.before, 9);
    expect(Number.isFinite(objective.after)).toBe(true);
  });

  test("takes as many examples as it is told to", async () => {
    const network = networkOf(mlp, 1);
    expect((await match(mlp, [network, network], { examples: 10 })).examples).toBe(10);
    expect((await match(mlp, [network, network])).examples).toBe(64);
    await expect(match(mlp, [network, network], { examples: 0 })).rejects.toThrow(RangeError);
  });
});
