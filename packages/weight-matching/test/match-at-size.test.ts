import { type Checkpoint, convertData, createCheckpoint, type DType, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { randomWeights } from "@isthmus/graph";
import { identityAlignment, permute, randomAlignment, type SymmetrySpec } from "@isthmus/symmetry";
import { MATCH_SEARCHES, type MatchWeightsOptions, matchWeights } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NetworkCase, networkCases } from "../../../test/helpers/network-cases.ts";
import { smallNetworks } from "../../../test/helpers/small-networks.ts";
import { createUnitTree } from "../src/coordinate-descent/unit-tree.ts";
import { planMemory } from "../src/out-of-core/plan-memory.ts";
import { createWeightTiles } from "../src/out-of-core/weight-tiles.ts";

const engine = createOnnxRuntimeEngine();

const cases = await networkCases(smallNetworks());
const [mlp, cnn, transformer] = cases as [NetworkCase, NetworkCase, NetworkCase];

function network({ graph }: NetworkCase, seed: number, dtype: DType = "f32"): Checkpoint {
  const entries = [...randomWeights(graph, seed)].map(([name, tensor]): [string, Tensor] => [
    name,
    { dtype, shape: tensor.shape, data: convertData(tensor.data, tensor.dtype, dtype) },
  ]);
  return createCheckpoint(new Map(entries), {}, `network ${seed}`);
}

/** The least memory that matching takes, in bytes. */
function leastMemory(spec: SymmetrySpec): number {
  const tree = createUnitTree(spec);
  for (let bytes = 2 ** 16; ; bytes += 2 ** 16) {
    try {
      planMemory({ spec, tree, held: new Set() }, bytes);
      return bytes;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

describe("matchWeights() within a bound of memory", () => {
  test.each(cases)("$name: finds what it finds in memory", async (own) => {
    for (const [seed, dtype] of (["f32", "bf16", "f16", "f64"] as const).entries()) {
      const pair = [network(own, seed, dtype), network(own, seed + 50, dtype)] as const;
      const options: MatchWeightsOptions = { seed };
      const loaded = await matchWeights({ spec: own.spec, graph: own.graph, engine }, pair, options);
      for (const memory of [leastMemory(own.spec), 2 ** 30]) {
        const streamed = await matchWeights({ spec: own.spec, graph: own.graph, engine }, pair, {
          ...options,
          memory,
        });
        expect(streamed.alignment, own.name).toEqual(loaded.alignment);
        expect(streamed.objective.after).toBeCloseTo(loaded.objective.after, 5);
        expect(streamed.objective.before).toBeCloseTo(loaded.objective.before, 5);
        expect(streamed.scaledObjective.after).toBeCloseTo(loaded.scaledObjective.after, 5);
        expect(streamed.bound).toBeCloseTo(loaded.bound, 3);
        const { total, products, reading, assignment } = streamed.seconds;
        expect(products + reading + assignment).toBeLessThanOrEqual(total);
        expect(loaded.seconds.reading).toBe(0);
      }
    }
  });

  test("says how much it needs at least", async () => {
    const run = matchWeights(
      { spec: mlp.spec, graph: undefined, engine },
      [network(mlp, 1), network(mlp, 2)],
      { seed: 1, memory: 1000 },
    );
    await expect(run).rejects.toThrow(RangeError);
    await expect(run).rejects.toThrow(/memory must hold .*: \d+ MiB are needed, 0 are given/);
  });

  test("needs less where the largest symmetry is left out", async () => {
    const [first, second] = mlp.spec.symmetries.map(({ name }) => name);
    const tree = createUnitTree(mlp.spec);
    const all = planMemory({ spec: mlp.spec, tree, held: new Set() }, 2 ** 28);
    const one = planMemory({ spec: mlp.spec, tree, held: new Set([0]) }, 2 ** 28);
    expect(one.costBytes).toBeLessThan(all.costBytes);
    const pair = [network(mlp, 1), network(mlp, 2)] as const;
    for (const only of [first, second]) {
      const options = { seed: 1, only: [`${only}`] };
      const loaded = await matchWeights({ spec: mlp.spec, graph: undefined, engine }, pair, options);
      const streamed = await matchWeights({ spec: mlp.spec, graph: undefined, engine }, pair, {
        ...options,
        memory: 2 ** 22,
      });
      expect(streamed.alignment).toEqual(loaded.alignment);
      expect(streamed.bound).toBeCloseTo(loaded.bound, 3);
    }
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses a memory of %d", async (memory) => {
    const run = matchWeights({ spec: mlp.spec, graph: undefined }, [network(mlp, 1), network(mlp, 2)], {
      seed: 1,
      memory,
    });
    await expect(run).rejects.toThrow(
      'Cannot match weights as "memory" must be a whole number of at least 1',
    );
  });

  test("names a weight that is not finite", async () => {
    const weights = randomWeights(mlp.graph, 2);
    (weights.get("l1.weight")?.data as Float32Array)[3] = Number.NaN;
    const b = createCheckpoint(weights, {}, "spoiled.pt");
    const run = matchWeights({ spec: mlp.spec, graph: undefined, engine }, [network(mlp, 1), b], {
      seed: 1,
      memory: 2 ** 28,
    });
    await expect(run).rejects.toThrow(/"l1.weight" of "spoiled.pt" as weights must be finite/);
  });

  test("stops when it is told to", async () => {
    const options = { seed: 1, memory: 2 ** 28, signal: AbortSignal.abort() };
    const run = matchWeights(
      { spec: mlp.spec, graph: undefined, engine },
      [network(mlp, 1), network(mlp, 2)],
      options,
    );
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("createWeightTiles()", () => {
  test("reads any rows in any order, cached or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(8), { minLength: 1, maxLength: 12 }),
        fc.constantFrom<DType>("f32", "f16", "f64", "u8"),
        async (rows, columns, picks, dtype) => {
          const values = Float64Array.from({ length: rows * columns }, (_, i) => i % 200);
          const data = convertData(values, "f64", dtype);
          const checkpoint = createCheckpoint({ w: { dtype, shape: [rows, columns], data } });
          const layout = {
            shape: [rows, columns],
            view: [rows, columns],
            role: "parameter" as const,
            fields: [],
          };
          const lead = Int32Array.from(picks, (pick) => (pick % rows) * columns);
          const rest = [Int32Array.from({ length: columns }, (_, i) => columns - 1 - i)];
          const factors = new Map([["w", Float64Array.from({ length: rows }, (_, row) => row)]]);
          for (const cacheBytes of [0, 1e6]) {
            const tiles = createWeightTiles(checkpoint, { cacheBytes, factors });
            for (const scaled of [false, true, false]) {
              const expected = [...lead].flatMap((offset) =>
                [...(rest[0] ?? [])].map((c) => (values[offset + c] ?? 0) * (scaled ? offset / columns : 1)),
              );
              expect([...(await tiles.read("w", layout, { lead, rest }, scaled))]).toEqual(expected);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("matchWeights() of some symmetries", () => {
  const names = ({ spec }: NetworkCase) => spec.symmetries.map(({ name }) => name);

  test("leaves the others as they are, in every way of searching", async () => {
    for (const own of [mlp, cnn, transformer]) {
      const pair = [network(own, 1), network(own, 2)] as const;
      for (const [index, name] of names(own).entries()) {
        for (const search of MATCH_SEARCHES) {
          const options = { seed: 1, search, restarts: 3 };
          const only = await matchWeights({ spec: own.spec, graph: undefined, engine }, pair, {
            ...options,
            only: [name],
          });
          const skip = await matchWeights({ spec: own.spec, graph: undefined, engine }, pair, {
            ...options,
            skip: [name],
          });
          for (const moved of movedBy(own, only.alignment.source)) expect(moved).toBe(index);
          expect(movedBy(own, skip.alignment.source).has(index)).toBe(false);
          for (const { objective } of [only, skip]) {
            expect(objective.after).toBeGreaterThanOrEqual(objective.before);
          }
        }
      }
    }
  });

  /** Symmetries some cell of which is not in its own order. */
  function movedBy({ spec }: NetworkCase, source: Int32Array): Set<number> {
    const moved = new Set<number>();
    spec.symmetries.forEach(({ firstUnit, size, cells }, index) => {
      for (let i = 0; i < size * cells.length; i++) {
        if (((source[firstUnit + i] ?? 0) - firstUnit) % size !== i % size) moved.add(index);
      }
    });
    return moved;
  }

  test("undoes what was planted in them alone", async () => {
    const a = network(mlp, 3);
    const planted = randomAlignment(mlp.spec, 4).source;
    const [first] = mlp.spec.symmetries;
    const kept = identityAlignment(mlp.spec).source.map((unit, place) => {
      const inFirst =
        place >= (first?.firstUnit ?? 0) && place < (first?.firstUnit ?? 0) + (first?.size ?? 0);
      return inFirst ? (planted[place] ?? 0) : unit;
    });
    const shuffled = permute({ source: kept }, a, mlp.spec);
    const { alignment } = await matchWeights({ spec: mlp.spec, graph: undefined, engine }, [a, shuffled], {
      seed: 1,
      only: [`${first?.name}`],
    });
    for (const [name, { data }] of randomWeights(mlp.graph, 3)) {
      expect((await permute(alignment, shuffled, mlp.spec).read(name)).data).toEqual(data);
    }
  });

  test("takes * and ? in names, and nothing else as special", async () => {
    const pair = [network(mlp, 1), network(mlp, 2)] as const;
    const all = await matchWeights({ spec: mlp.spec, graph: undefined, engine }, pair, { seed: 1 });
    const starred = await matchWeights({ spec: mlp.spec, graph: undefined, engine }, pair, {
      seed: 1,
      only: ["*"],
    });
    expect(starred.alignment).toEqual(all.alignment);
    await expect(
      matchWeights({ spec: mlp.spec, graph: undefined }, pair, { seed: 1, only: [".*"] }),
    ).rejects.toThrow(/every pattern of only must fit the name of a symmetry: "\.\*" fits none of /);
    await expect(
      matchWeights({ spec: mlp.spec, graph: undefined }, pair, { seed: 1, skip: ["*"] }),
    ).rejects.toThrow(/must leave a symmetry to match: they leave none of/);
  });
});
