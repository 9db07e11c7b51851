import { type Checkpoint, createCheckpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { createTokenDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type Graph, randomWeights } from "@isthmus/graph";
import { discoverRouters } from "@isthmus/mixtures";
import { networkOfConfig } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { groupExperts } from "../src/reduce/group-experts.ts";
import { measureExperts } from "../src/reduce/measure-experts.ts";
import { reduceExperts } from "../src/reduce/reduce-experts.ts";

const HIDDEN = 6;
const graphOf = (experts: number, active: number): Graph =>
  networkOfConfig({
    model_type: "mixtral",
    architectures: ["MixtralForCausalLM"],
    vocab_size: 30,
    hidden_size: 8,
    intermediate_size: HIDDEN,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    num_local_experts: experts,
    num_experts_per_tok: active,
    max_position_embeddings: 8,
  }).graph;
const engine = createOnnxRuntimeEngine();
const graph = graphOf(4, 2);
const routers = await discoverRouters({ graph, engine });
const random = createRandom(5);
const ids = Uint16Array.from({ length: 200 }, () => random.integer(30));
const text = createTokenDataSet(ids, { context: 8, vocabularySize: 30, name: "words" });

/** Moves the units of a matrix of an expert. */
function withUnits(name: string, { shape, data }: Tensor, order: readonly number[]): Tensor {
  const [, columns = 1] = shape;
  const moved = Float32Array.from(Array.from(data, Number), (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return Number(
      name.includes(".w2.") ? data[row * columns + order[column]!] : data[order[row]! * columns + column],
    );
  });
  return createTensor("f32", shape, moved);
}

/** Mixture whose experts 2 and 3 are experts 0 and 1 with their hidden units in another order. */
function doubled(seed: number): Checkpoint {
  const weights = randomWeights(graph, seed);
  const order = createRandom(seed).shuffleInPlace(Array.from({ length: HIDDEN }, (_, i) => i));
  for (const [name, tensor] of weights) {
    const expert = /\.experts\.([23])\./.exec(name)?.[1];
    if (expert !== undefined) {
      const original = weights.get(name.replace(`.experts.${expert}.`, `.experts.${Number(expert) - 2}.`))!;
      weights.set(name, withUnits(name, original, order));
    } else if (name.endsWith(".gate.weight")) {
      const rows = Float32Array.from({ length: tensor.data.length }, (_, i) => Number(tensor.data[i % 16]));
      weights.set(name, createTensor("f32", tensor.shape, rows));
    }
  }
  return createCheckpoint(weights);
}

async function logitsOf(own: Graph, network: Checkpoint): Promise<number[]> {
  const { inputs } = text.read(0, 6);
  const feeds = new Map(await bindWeights(own, network)).set(own.inputs[0]!.name, inputs);
  return Array.from((await runGraph(own, feeds)).get("logits")!.data, Number);
}

describe("reduceExperts()", () => {
  test("merges copies of experts whose units are in another order, and computes the same", async () => {
    for (const seed of [1, 2]) {
      const mixture = doubled(seed);
      const measured = await measureExperts({ graph, engine }, { network: mixture, routers }, [text], {
        threads: 1,
      });
      const groups = measured.map((layer) => groupExperts(layer, 2, "merge"));
      expect(groups.map((layer) => layer.map(({ members }) => members))).toEqual([
        [
          [0, 2],
          [1, 3],
        ],
        [
          [0, 2],
          [1, 3],
        ],
      ]);
      const reduced = reduceExperts(routers, mixture, groups);
      const [before, after] = [await logitsOf(graph, mixture), await logitsOf(graphOf(2, 1), reduced)];
      for (const [i, value] of after.entries()) expect(value).toBeCloseTo(before[i]!, 4);
    }
  });

  test("leaves every tensor as it is if no expert has to go", async () => {
    const mixture = createCheckpoint(randomWeights(graph, 3));
    const measured = await measureExperts({ graph, engine }, { network: mixture, routers }, [text], {
      threads: 1,
    });
    for (const by of ["merge", "drop"] as const) {
      const same = reduceExperts(
        routers,
        mixture,
        measured.map((layer) => groupExperts(layer, 4, by)),
      );
      expect([...same.tensors.keys()].sort()).toEqual([...mixture.tensors.keys()].sort());
      for (const name of mixture.tensors.keys())
        expect((await same.read(name)).data).toEqual((await mixture.read(name)).data);
    }
  });

  test("drops the experts that contribute least, with their rows of routers", async () => {
    const mixture = createCheckpoint(randomWeights(graph, 4));
    const measured = await measureExperts({ graph, engine }, { network: mixture, routers }, [text], {
      threads: 1,
    });
    const groups = measured.map((layer) => groupExperts(layer, 1, "drop"));
    const reduced = reduceExperts(routers, mixture, groups);
    const router = "model.layers.0.block_sparse_moe.gate.weight";
    const [kept = -1] = groups[0]![0]!.members;
    expect(measured[0]!.saliences[kept]).toBe(Math.max(...measured[0]!.saliences));
    expect((await reduced.read(router)).data).toEqual(
      await mixture.readRange(router, 8 * kept, 8 * kept + 8),
    );
    expect(await logitsOf(graphOf(1, 1), reduced)).toHaveLength((await logitsOf(graph, mixture)).length);
  });
});

describe("groupExperts()", () => {
  test("makes so many groups of all experts, which do not depend on their order", async () => {
    await fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(1e6), (experts, seed) => {
        const draw = createRandom(seed);
        const places = Array.from({ length: experts }, () => [draw.normal(), draw.normal()]);
        const layerOf = (order: readonly number[]) => ({
          layer: "layer",
          weights: Float64Array.from(order, (i) => 1 + i / 10),
          saliences: Float64Array.from(order, (i) => 1 + i / 10),
          distances: Float64Array.from({ length: experts ** 2 }, (_, p) => {
            const [a, b] = [places[order[Math.floor(p / experts)]!]!, places[order[p % experts]!]!];
            return (a[0]! - b[0]!) ** 2 + (a[1]! - b[1]!) ** 2;
          }),
        });
        const count = 1 + draw.integer(experts);
        const given = [...places.keys()];
        const order = draw.shuffleInPlace([...given]);
        const setsOf = (by: "merge" | "drop", own: readonly number[]) =>
          groupExperts(layerOf(own), count, by)
            .map(({ members }) =>
              members
                .map((member) => own[member])
                .sort()
                .join(),
            )
            .sort();
        for (const by of ["merge", "drop"] as const) expect(setsOf(by, order)).toEqual(setsOf(by, given));
        const groups = groupExperts(layerOf(given), count, "merge");
        expect(groups).toHaveLength(count);
        expect(groups.flatMap(({ members }) => members).sort()).toEqual(given);
        for (const { shares } of groups) expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      }),
      { numRuns: 50 },
    );
  });

  test("refuses more experts than there are", () => {
    const numbers = new Float64Array(4);
    const layer = { layer: "layer", weights: numbers, saliences: numbers, distances: new Float64Array(16) };
    expect(() => groupExperts(layer, 5, "merge")).toThrow(/from 1 to 4.*it is 5/);
    expect(() => groupExperts(layer, 0, "drop")).toThrow(/it is 0/);
  });
});
