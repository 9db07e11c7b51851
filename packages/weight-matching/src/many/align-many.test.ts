import {
  type Checkpoint,
  composeCheckpoint,
  convertData,
  createCheckpoint,
  createTensor,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindNetworks, createEvaluator } from "@isthmus/graph";
import {
  decodeAlignment,
  discoverLinearSymmetries,
  discoverSymmetries,
  permute,
  randomAlignment,
} from "@isthmus/symmetry";
import { mlp } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { distance } from "../../../../test/helpers/distance.ts";
import { randomExamples } from "../../../../test/helpers/random-examples.ts";
import { transformRandomly } from "../../../symmetry/src/linear/verify-linear-symmetries.ts";
import { type AlignProgress, align } from "../align/align.ts";
import { alignMany } from "./align-many.ts";
import { encodeUniverse, namesInUniverse } from "./encode-universe.ts";

const network = mlp({ widths: [12, 12] }, { exampleShape: [6], classes: 3 });
const architecture = { graph: network.graph, engine: createOnnxRuntimeEngine() };
const a = network.initialize(0);
const symmetries = await discoverSymmetries(architecture);

const shuffled = (seed: number) => permute(randomAlignment(symmetries.spec, seed), a, symmetries.spec);

/** Stores all weights of a network in another type. */
async function stored(of: Checkpoint, dtype: "f16" | "bf16"): Promise<Checkpoint> {
  const tensors = [...of.tensors.keys()].map(async (name) => {
    const { shape, data } = await of.read(name);
    return [name, createTensor(dtype, shape, convertData(data, "f32", dtype))] as const;
  });
  return createCheckpoint(new Map(await Promise.all(tensors)));
}

/** Returns the mean of networks, added up one by one. */
async function meanOf(networks: readonly Checkpoint[]): Promise<Checkpoint> {
  const tensors = [...a.tensors].map(async ([name, { shape }]) => {
    const parts = await Promise.all(networks.map(async (one) => (await one.read(name)).data as Float32Array));
    const mean = (parts[0] ?? new Float32Array()).map(
      (_, i) => parts.reduce((sum, part) => sum + (part[i] ?? Number.NaN), 0) / parts.length,
    );
    return [name, createTensor("f32", shape, mean)] as const;
  });
  return createCheckpoint(new Map(await Promise.all(tensors)));
}

describe("alignMany()", () => {
  test("brings shuffled copies back to any reference, proves each, and says how far it is", async () => {
    const shares: number[] = [];
    const copies = [shuffled(1), shuffled(2), a, shuffled(3)];
    const { networks, aligned, match } = await alignMany(architecture, copies, {
      seed: 0,
      reference: 2,
      onProgress: ({ done }) => shares.push(done),
    });
    expect(networks[2]).toBe(a);
    for (const { summary } of aligned) expect(summary).toMatchObject({ method: "weight", seed: 0 });
    for (const copy of networks) {
      for (const name of a.tensors.keys()) expect(await copy.read(name)).toEqual(await a.read(name));
    }
    expect(aligned.every(({ summary }) => summary.verified.passed)).toBe(true);
    const [first, , reference] = aligned;
    expect(first?.summary.objective.after).toBeCloseTo(reference?.summary.objective.after ?? Number.NaN, 4);
    expect(match.reference).toBe(2);
    expect(shares).toEqual([...shares].sort((x, y) => x - y));
    expect([shares[0], shares.at(-1)]).toEqual([0, 1]);
  });

  test("is written as JSON with a permutation for each name, which names are read from again", async () => {
    const result = await alignMany(architecture, [a, shuffled(1), shuffled(2)], { seed: 0, reference: 1 });
    const names = ["a", "b", "c"];
    const json: unknown = JSON.parse(JSON.stringify(encodeUniverse(result, names)));
    expect(json).toMatchObject({ reference: "b", many: result.match.many });
    expect(namesInUniverse(json)).toEqual(names);
    const { networks } = encodeUniverse(result, names);
    for (const [i, { alignment }] of networks.entries())
      expect(decodeAlignment(symmetries.spec, alignment)).toEqual(result.aligned[i]?.alignment);
    for (const other of [null, 7, [], { networks: {} }, { networks: [null, { checkpoint: 3 }] }])
      expect(namesInUniverse(other)).toEqual([]);
  });

  test("matches units by what they do on data", async () => {
    const data = randomExamples([6], { size: 200, classes: 3, seed: 0 });
    const copies = [a, shuffled(4), shuffled(5)];
    for (const many of ["cycle", "merge-many"] as const) {
      const { networks, match } = await alignMany(architecture, copies, {
        seed: 0,
        many,
        method: "activation",
        data,
      });
      for (const copy of networks) {
        for (const name of a.tensors.keys()) expect(await copy.read(name)).toEqual(await a.read(name));
      }
      // The correlation of every unit with itself is 1, in each of 3 pairs; a unit that never fires has none.
      expect(match.objective.after / match.limit).toBeCloseTo(1, 5);
    }
    await expect(alignMany(architecture, copies, { seed: 0, method: "activation" })).rejects.toThrow(
      /Cannot match activations as there must be data/,
    );
  });

  test.each(["weight", "activation"] as const)(
    "takes the start of which the mean has the least loss on examples if that is the judge: %s",
    async (method) => {
      const data = randomExamples([6], { size: 50, classes: 3, seed: 0 });
      const apart = [0, 1, 2, 3].map((seed) => network.initialize(seed));
      const options = { seed: 0, many: "cycle", starts: 4, method, data, reference: 1 } as const;
      const { match, networks } = await alignMany(architecture, apart, { ...options, judge: "merged" });
      const losses = match.searches.map(({ loss = Number.NaN }) => loss);
      expect(new Set(losses).size).toBeGreaterThan(1);
      const evaluator = await createEvaluator(architecture, data);
      const { loss } = await evaluator.evaluate(await meanOf(networks));
      expect(loss).toBeCloseTo(Math.min(...losses), 5);
      const { match: plain } = await alignMany(architecture, apart, options);
      expect(plain.searches.every((search) => search.loss === undefined)).toBe(true);
      expect(plain.scaledObjective.after).toBeGreaterThanOrEqual(match.scaledObjective.after);
      await expect(alignMany(architecture, apart, { seed: 0, judge: "merged" })).rejects.toThrow(
        /Cannot judge alignments as there must be data/,
      );
    },
  );

  test("undoes scales, too, where that is asked for", async () => {
    const linear = await discoverLinearSymmetries(architecture, symmetries);
    const other = (seed: number) =>
      transformRandomly(shuffled(seed), symmetries.spec, linear, { seed, kinds: ["scale"] });
    const copies = [a, other(6), other(7)];
    const { networks, aligned } = await alignMany(architecture, copies, { seed: 0, normalize: ["scale"] });
    expect(await distance(copies[1] ?? a, a)).toBeGreaterThan(1);
    for (const copy of networks) expect(await distance(copy, a)).toBeLessThan(1e-3);
    expect(aligned[0]?.summary.normalized).toBeUndefined();
    expect(aligned[1]?.summary.normalized).toMatchObject({ kinds: ["scale"], signs: 0 });
    expect(aligned[1]?.summary.normalized?.distance.after).toBeLessThan(1e-3);
  });

  test.each(["f16", "bf16"] as const)(
    "undoes scales of networks in %s, which rounds their weights again",
    async (dtype) => {
      const linear = await discoverLinearSymmetries(architecture, symmetries);
      const scaled = transformRandomly(shuffled(8), symmetries.spec, linear, { seed: 8, kinds: ["scale"] });
      const copies = await Promise.all([a, scaled].map((copy) => stored(copy, dtype)));
      const { aligned } = await alignMany(architecture, copies, { seed: 0, normalize: ["scale"] });
      const pair = await align(architecture, copies, { seed: 0, normalize: ["scale"] });
      const errors = [aligned[1], pair.aligned[0]].map((moved) => moved?.summary.verified.maxRelativeError);
      // More than rounding in 32 bits does, and at most what the type of the weights explains.
      for (const error of errors) expect(error).toBeLessThan({ f16: 2 ** -8, bf16: 2 ** -5 }[dtype]);
      expect(Math.max(...errors.map(Number))).toBeGreaterThan(1e-4);
    },
  );

  test("gives networks that were bound to the graph the names of their own checkpoints again", async () => {
    const places = [...a.tensors.keys()].map((name) => [`module.${name}`, { checkpoint: a, name }] as const);
    const wrapped = composeCheckpoint(new Map(places), { source: "wrapped" });
    const bound = await bindNetworks({ graph: network.graph, weights: new Map() }, [wrapped, shuffled(3)]);
    const { networks } = await alignMany({ ...architecture, graph: bound.graph }, bound.networks, {
      seed: 0,
    });
    expect([...(networks[0]?.tensors.keys() ?? [])]).toEqual([...wrapped.tensors.keys()]);
    for (const name of a.tensors.keys()) expect(await networks[1]?.read(name)).toEqual(await a.read(name));
  });

  test.each(["weight", "activation"] as const)(
    "says in which phase it is, and how its options led to what it found: %s",
    async (method) => {
      const heard: AlignProgress[] = [];
      const data = randomExamples([6], { size: 100, classes: 3, seed: 0 });
      const copies = [a, shuffled(4)];
      const { aligned, symmetries: used } = await alignMany(architecture, copies, {
        seed: 7,
        method,
        data,
        symmetries,
        proof: "outputs",
        onProgress: (progress) => heard.push(progress),
      });
      expect(used).toBe(symmetries);
      for (const { summary } of aligned) expect(summary).toMatchObject({ method, seed: 7 });
      expect(heard[0]).toEqual({ done: 0, phase: "discovering", network: 0 });
      const matching = heard.filter(({ phase }) => phase === "matching");
      for (const { done, network, share } of matching) {
        expect([network, done]).toEqual([0, 0.8 * (share ?? Number.NaN)]);
      }
      const shares = matching.map(({ share }) => share ?? Number.NaN);
      expect(shares).toEqual([...shares].sort((x, y) => x - y));
      // Networks are run in the first half, if they are, and matched in the second.
      expect(shares.every((share) => share <= 1)).toBe(true);
      if (method === "activation") {
        expect(shares.some((share) => share > 0 && share < 0.5)).toBe(true);
        expect(shares.some((share) => share > 0.5)).toBe(true);
      }
      expect(heard.slice(-3)).toEqual([
        { done: 0.8, phase: "verifying", network: 0, share: 0 },
        { done: expect.closeTo(0.9, 12), phase: "verifying", network: 1, share: 0.5 },
        { done: 1, phase: "verifying", network: 2, share: 1 },
      ]);
    },
  );

  test.each(["weight", "activation"] as const)("stops if it is told to: %s", async (method) => {
    const controller = new AbortController();
    const stopped = alignMany(architecture, [a, shuffled(4)], {
      seed: 0,
      method,
      data: randomExamples([6], { size: 100, classes: 3, seed: 0 }),
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === "matching") controller.abort(new RangeError("told to"));
      },
    });
    await expect(stopped).rejects.toThrow("told to");
  });

  test("refuses one network, and one that does not fit", async () => {
    await expect(alignMany(architecture, [a], { seed: 0 })).rejects.toThrow(/at least two: got 1/);
    const wide = mlp({ widths: [13, 12] }, { exampleShape: [6], classes: 3 }).initialize(0);
    await expect(alignMany(architecture, [a, a, wide], { seed: 0 })).rejects.toThrow(/Cannot/);
  });
});
