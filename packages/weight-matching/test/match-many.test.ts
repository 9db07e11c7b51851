import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  sizeOf,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { shareSessions } from "@isthmus/graph";
import { type Alignment, compose, identityAlignment, permute, randomAlignment } from "@isthmus/symmetry";
import { alignmentBetween, MANY_METHODS, type ManyJournal, matchMany } from "@isthmus/weight-matching";
import { afterAll, describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { type NetworkCase, networkCase, networkCases } from "../../../test/helpers/network-cases.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { residualMlp } from "../../../test/helpers/residual-mlp.ts";
import { smallMlp, smallNetworks } from "../../../test/helpers/small-networks.ts";

// Every matching loads the same few graphs.
const engine = shareSessions(createOnnxRuntimeEngine());
afterAll(() => engine.close());

const cases = await networkCases([
  ...smallNetworks(),
  residualMlp(8, "two layers"),
  residualMlp(8, "one layer"),
]);

const copiesOf = ({ graph, spec }: NetworkCase, count: number, seed: number) => {
  const original = randomNetwork(graph, seed);
  const copies = Array.from({ length: count }, (_, i) =>
    i === 0 ? original : permute(randomAlignment(spec, 100 * seed + i), original, spec),
  );
  return { original, copies };
};

const apart = ({ graph }: NetworkCase, count: number) =>
  Array.from({ length: count }, (_, i) => randomNetwork(graph, i));

/** Linear layers with relu: 6 -> width -> width -> 4. */
function wideMlp(width: number) {
  const b = new GraphBuilder();
  const first = b.op("Relu", [b.linear(b.input("x", [6]), "l0", 6, width)]);
  const second = b.op("Relu", [b.linear(first, "l1", width, width)]);
  return b.output(b.linear(second, "l2", width, 4)).build("wide mlp");
}

describe("matchMany()", () => {
  test.each(cases)(
    "$name: finds all planted permutations of 3 and of 5 copies by every method",
    async (network) => {
      const { spec } = network;
      for (const [count, seed] of [
        [3, 1],
        [5, 2],
      ] as const) {
        const { original, copies } = copiesOf(network, count, seed);
        for (const many of MANY_METHODS) {
          const { universe, objective, limit } = await matchMany({ spec, graph: undefined, engine }, copies, {
            seed,
            many,
          });
          expect(objective.after / limit).toBeCloseTo(1, 9);
          for (const [i, copy] of copies.entries()) {
            const aligned = permute(universe[i] ?? identityAlignment(spec), copy, spec);
            for (const name of original.tensors.keys()) {
              expect((await aligned.read(name)).data).toEqual((await original.read(name)).data);
            }
          }
        }
      }
    },
  );

  test.each(cases)("$name: every circle closes exactly", async (network) => {
    const { spec } = network;
    const networks = apart(network, 3);
    for (const many of MANY_METHODS) {
      const { universe } = await matchMany({ spec, graph: network.graph, engine }, networks, {
        seed: 3,
        many,
        reference: 2,
      });
      expect(universe[2]).toEqual(identityAlignment(spec));
      for (let a = 0; a < 3; a++) {
        for (let b = 0; b < 3; b++) {
          for (let c = 0; c < 3; c++) {
            const circle = compose(
              compose(alignmentBetween(universe, a, b), alignmentBetween(universe, b, c)),
              alignmentBetween(universe, c, a),
            );
            expect(circle).toEqual(identityAlignment(spec));
          }
        }
      }
    }
  });

  test.each(cases)(
    "$name: the objective is that of the pairs, and the best is no worse than any other",
    async (network) => {
      const { spec } = network;
      const networks = apart(network, 4);
      const architecture = { spec, graph: undefined, engine };
      const best = await matchMany(architecture, networks, { seed: 5 });
      expect(best.objective.after).toBeCloseTo(await sumOfPairs(network, networks, best.universe), 3);
      expect(best.objective.before).toBeCloseTo(
        await sumOfPairs(
          network,
          networks,
          networks.map(() => identityAlignment(spec)),
        ),
        3,
      );
      for (const many of ["reference", "merge-many", "cycle"] as const) {
        const other = await matchMany(architecture, networks, { seed: 5, many });
        expect(best.objective.after).toBeGreaterThanOrEqual(other.objective.after);
      }
      expect(best.objective.after).toBeLessThanOrEqual(best.limit);
    },
  );

  test.each(cases)(
    "$name: objectives count weights as they are, scaled ones as norms scale them, of all and to the reference",
    async (network) => {
      const { spec, graph } = network;
      const networks = apart(network, 3);
      const { universe, objective, scaledObjective, searches, toReference, limit } = await matchMany(
        { spec, graph, engine },
        networks,
        { seed: 2, many: "tree", reference: 1 },
      );
      expect(objective.after).toBeCloseTo(await sumOfPairs(network, networks, universe), 3);
      expect(scaledObjective.after).toBeCloseTo(searches[0]?.objective ?? Number.NaN, 5);
      expect(scaledObjective.after).toBeLessThanOrEqual(limit);
      const hasNorms = graph.nodes.some(({ op }) => op === "BatchNormalization");
      expect(Math.abs(scaledObjective.after - objective.after) > 1e-3).toBe(hasNorms);
      const pairOf = <T>(all: readonly T[]) => [all[1], all[2]] as T[];
      expect(toReference[2]?.objective.after).toBeCloseTo(
        await sumOfPairs(network, pairOf(networks), pairOf([...universe])),
        3,
      );
      const two = await matchMany({ spec, graph, engine }, networks.slice(0, 2), { seed: 2 });
      const { objective: ofPair, scaledObjective: scaled } = two.toReference[1] ?? {};
      expect(ofPair?.before).toBeCloseTo(two.objective.before, 5);
      expect(ofPair?.after).toBeCloseTo(two.objective.after, 5);
      expect(scaled?.after).toBeCloseTo(two.scaledObjective.after, 5);
    },
  );

  test("gives the same for the same seed, and goes on from a journal", async () => {
    const network = cases[1] as NetworkCase;
    const networks = apart(network, 4);
    const architecture = { spec: network.spec, graph: network.graph, engine };
    for (const many of MANY_METHODS) {
      const once = await matchMany(architecture, networks, { seed: 7, many });
      const kept = new Map<string, readonly number[]>();
      let computed = 0;
      const journal: ManyJournal = {
        async get(key, compute) {
          const numbers = kept.get(key) ?? (await compute());
          if (!kept.has(key) && ++computed === 3) throw new Error("killed");
          kept.set(key, numbers);
          return numbers;
        },
      };
      await matchMany(architecture, networks, { seed: 7, many, journal }).catch(() => undefined);
      const resumed = await matchMany(architecture, networks, { seed: 7, many, journal });
      expect(resumed.universe).toEqual(once.universe);
      expect(resumed.objective).toEqual(once.objective);
    }
  });

  test("starts cycle as often as it is told to: the objective never falls, and the first start is always the same", async () => {
    for (const network of cases.slice(0, 4)) {
      const networks = apart(network, 4);
      const search = (starts: number, judge?: (universe: readonly Alignment[]) => Promise<number>) =>
        matchMany({ spec: network.spec, graph: network.graph, engine }, networks, {
          ...{ seed: 3, many: "cycle", starts, judge },
        });
      const [once, often] = [await search(1), await search(4)];
      expect(often.searches).toHaveLength(4);
      expect(often.searches[0]).toEqual(once.searches[0]);
      expect(often.scaledObjective.after).toBeGreaterThanOrEqual(once.scaledObjective.after);
      expect(await search(4)).toEqual(often);
      // A judge that likes what the objective does not is obeyed, and sees what would be returned.
      const seen: (readonly Alignment[])[] = [];
      const judged = await search(4, async (universe) => {
        seen.push(universe);
        return -seen.length;
      });
      expect(judged.searches.map(({ loss }) => loss)).toEqual([-1, -2, -3, -4]);
      expect(judged.universe).toEqual(seen[3]);
    }
  });

  test("weighs weights by their importance: noise in what no client knows does not mislead, and 1 changes nothing", async () => {
    const network = await networkCase(wideMlp(12));
    const { spec, graph } = network;
    const architecture = { spec, graph: undefined, engine };
    const { copies } = copiesOf(network, 4, 6);
    const known = (ofWeight: (name: string, place: number) => number) =>
      createCheckpoint(
        new Map(
          [...graph.weights].map(([name, { shape }]) => {
            const data = Float32Array.from({ length: sizeOf(shape) }, (_, p) => ofWeight(name, p));
            return [name, createTensor("f32", shape, data)] as const;
          }),
        ),
      );
    // Of each copy the weights of the first input are noise, far larger than the others.
    const isNoise = (name: string, place: number) => name === "l0.weight" && place < 12;
    const noisy: Checkpoint[] = [];
    for (const [i, copy] of copies.entries()) {
      const random = createRandom(i, "noise");
      const { shape, data } = await copy.read("l0.weight");
      const mixed = (data as Float32Array).map((x, p) =>
        isNoise("l0.weight", p) ? 20 * random.normal() : x,
      );
      noisy.push(withTensors(copy, new Map([["l0.weight", createTensor("f32", shape, mixed)]])));
    }
    const importance = known((name, place) => Number(!isNoise(name, place)));
    const match = (networks: readonly Checkpoint[], of?: readonly Checkpoint[]) =>
      matchMany(architecture, networks, { seed: 1, restarts: 4, importance: of });
    const truth = await match(copies);
    const weighed = await match(
      noisy,
      copies.map(() => importance),
    );
    expect(weighed.universe).toEqual(truth.universe);
    expect(weighed.scaledObjective.after / weighed.limit).toBeCloseTo(1, 6);
    expect(weighed.objective).not.toEqual(weighed.scaledObjective);
    expect((await match(noisy)).universe).not.toEqual(truth.universe);
    const alike = await match(
      noisy,
      copies.map(() => known(() => 1)),
    );
    const { searches, ...plain } = await match(noisy);
    expect(alike).toMatchObject(plain);
    const wrong: readonly (readonly [readonly Checkpoint[], RegExp])[] = [
      [[importance], /there must be one for each: got 1 for 4/],
      [copies.map(() => known(() => -1)), /its importance must be finite and at least 0: it is -1/],
      [copies.map(() => known(() => Number.NaN)), /at least 0: it is NaN/],
      [
        copies.map(() => createCheckpoint({ "l1.bias": createTensor("f32", [2], new Float32Array(2)) })),
        /"l1.bias" .* must have its shape: it is \[12\], and \[2\]/,
      ],
    ];
    for (const [of, message] of wrong) await expect(match(noisy, of)).rejects.toThrow(message);
  });

  test("keeps symmetries that are skipped, and reads weights when needed under a memory limit", async () => {
    const network = await networkCase(smallMlp());
    const { spec } = network;
    const { copies } = copiesOf(network, 4, 9);
    const [name = ""] = spec.symmetries.map((symmetry) => symmetry.name);
    const { universe } = await matchMany({ spec, graph: undefined, engine }, copies, {
      seed: 1,
      skip: [name],
    });
    const { firstUnit, size } = spec.symmetries[0] ?? { firstUnit: 0, size: 0 };
    for (const { source } of universe) {
      expect([...source.subarray(firstUnit, firstUnit + size)]).toEqual(
        Array.from({ length: size }, (_, unit) => firstUnit + unit),
      );
    }
  });

  test("reads weights when they are needed under a memory limit", async () => {
    const network = await networkCase(wideMlp(200));
    const { spec } = network;
    const architecture = { spec, graph: undefined, engine };
    const memory = 2 ** 21;
    const { copies } = copiesOf(network, 3, 9);
    const best = await matchMany(architecture, copies, { seed: 1, memory });
    expect(best.searches.map(({ many }) => many)).not.toContain("cycle");
    expect(best.objective.after / best.limit).toBeCloseTo(1, 9);
    const networks = apart(network, 3);
    const limited = await matchMany(architecture, networks, { seed: 1, many: "merge-many", memory });
    expect(limited.searches[0]?.status).toBe("converged");
    expect(limited.objective.after).toBeGreaterThan(limited.objective.before);
    await expect(matchMany(architecture, networks, { seed: 1, many: "cycle", memory })).rejects.toThrow(
      /Cannot match 3 networks through a universe as it must fit the memory/,
    );
  });

  test("names the network of a NaN, too few networks, and options out of range", async () => {
    const network = await networkCase(smallMlp());
    const { spec } = network;
    const architecture = { spec, graph: undefined, engine };
    const networks = apart(network, 7);
    const tensors = new Map<string, Tensor>();
    for (const name of network.graph.weights.keys())
      tensors.set(name, await (networks[6] as Checkpoint).read(name));
    const bias = tensors.get("l1.bias") as Tensor;
    tensors.set("l1.bias", {
      ...bias,
      data: bias.data.slice().fill(Number.NaN as never, 2, 3) as Float32Array,
    });
    const broken = [...networks.slice(0, 6), createCheckpoint(tensors, {}, "seventh.safetensors")];
    await expect(matchMany(architecture, broken, { seed: 0 })).rejects.toThrow(
      /Cannot match "l1.bias" of "seventh.safetensors" as weights must be finite/,
    );
    await expect(matchMany(architecture, networks.slice(0, 1), { seed: 0 })).rejects.toThrow(
      /there must be at least two: got 1/,
    );
    await expect(matchMany(architecture, networks, { seed: 0, reference: 7 })).rejects.toThrow(
      /reference must be the index of one of them: it is 7 of 7/,
    );
    await expect(matchMany(architecture, networks, { seed: 0, many: "star" as "tree" })).rejects.toThrow(
      /"many" must be one of best, cycle, merge-many, tree, reference: it is "star"/,
    );
  });
});

/** Adds the inner products of all pairs of permuted networks, one by one. */
async function sumOfPairs(
  { spec }: NetworkCase,
  networks: readonly Checkpoint[],
  universe: Awaited<ReturnType<typeof matchMany>>["universe"],
): Promise<number> {
  const placed = networks.map((network, i) => permute(universe[i] ?? identityAlignment(spec), network, spec));
  let sum = 0;
  for (const [name, { role, fields }] of spec.weights) {
    if (role !== "parameter" || fields.length === 0) continue;
    const values = await Promise.all(placed.map(async (one) => (await one.read(name)).data as Float32Array));
    for (const [a, left] of values.entries()) {
      for (const right of values.slice(a + 1)) {
        for (let k = 0; k < left.length; k++) sum += (left[k] as number) * (right[k] as number);
      }
    }
  }
  return sum;
}
