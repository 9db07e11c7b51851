import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, createCheckpoint, createRandom, createTensor, saveCheckpoint } from "@isthmus/core";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { AggregationRule, LinearRule } from "../rules/aggregation-rule.ts";
import { coordinateMedian } from "../rules/coordinate-median.ts";
import { fedavg } from "../rules/fedavg.ts";
import { krum } from "../rules/krum.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import { average } from "../server-step/average.ts";
import type { ServerStep } from "../server-step/server-step.ts";
import type { ClientUpdate } from "../updates/client-update.ts";
import { aggregateUpdates } from "./aggregate-updates.ts";
import { saveAggregate } from "./save-aggregate.ts";

const folder = await mkdtemp(join(tmpdir(), "aggregate-"));
afterAll(() => rm(folder, { recursive: true }));

const SIZE = 40_000;

/** Returns a network with a weight larger than a block, a bias and a counter. */
function networkOf(seed: number): Checkpoint {
  const random = createRandom(seed);
  const weight = Float32Array.from({ length: SIZE }, () => random.normal());
  const bias = Float32Array.from({ length: 3 }, () => random.normal());
  return createCheckpoint(
    {
      "conv.weight": createTensor("f32", [SIZE], weight),
      "conv.bias": createTensor("f32", [3], bias),
      "norm.batches": createTensor("i64", [], BigInt64Array.of(BigInt(seed))),
    },
    { made: "by a test" },
  );
}

const updatesOf = (seeds: readonly number[]): ClientUpdate[] =>
  seeds.map((seed) => ({ client: `client ${seed}`, examples: 10 * seed, network: networkOf(seed) }));
const numbersOf = async (network: Checkpoint | undefined, name: string) => {
  if (network === undefined) throw new Error("there must be a checkpoint");
  return [...((await network.read(name)).data as Float32Array)];
};

/** Doubles what it saw before and adds the mean, so that mistakes with the carried point show. */
const carrying: LinearRule<Record<never, never>> = {
  ...{ kind: "linear", name: "carrying", description: "", source: "", parameters: {}, needs: ["gram"] },
  carries: true,
  weigh: ({ shares, gram, count }) => {
    expect(gram.length).toBe((count + 1) ** 2);
    return { weights: [...shares, 2] };
  },
};
const counting: ServerStep<Record<never, never>> = {
  ...{ name: "counting", description: "", source: "", parameters: {}, states: ["sum"] },
  stepInPlace({ change, values, states: { sum = new Float64Array(0) } }) {
    for (const [i, one] of change.entries()) {
      sum[i] = (sum[i] as number) + one;
      values[i] = sum[i] as number;
    }
  },
};

describe("aggregateUpdates()", () => {
  it("aggregateUpdates() averages by examples, and keeps counters of the global network", async () => {
    const { network, report, state } = await aggregateUpdates(networkOf(9), updatesOf([1, 3]));
    const [a, b] = await Promise.all([1, 3].map((seed) => numbersOf(networkOf(seed), "conv.weight")));
    const mean = await numbersOf(network, "conv.weight");
    for (const i of [0, 1, SIZE - 1]) {
      expect(mean[i]).toBe(Math.fround(0.25 * (a?.[i] as number) + 0.75 * (b?.[i] as number)));
    }
    expect((await network.read("norm.batches")).data).toEqual(BigInt64Array.of(9n));
    expect(network.metadata).toEqual({ made: "by a test" });
    expect(state).toBeUndefined();
    expect(report.clients.map(({ client, weight }) => [client, weight])).toEqual([
      ["client 1", 0.25],
      ["client 3", 0.75],
    ]);
    expect(report.clients[0]).not.toHaveProperty("norm");
  });

  it("aggregateUpdates() of clients that did not move is the global network, bit for bit", async () => {
    const updates = [1, 2, 3].map((seed) => ({ client: `${seed}`, examples: seed, network: networkOf(7) }));
    for (const rule of [undefined, { of: coordinateMedian as AggregationRule }]) {
      const { network } = await aggregateUpdates(networkOf(7), updates, { ...(rule && { rule }) });
      expect((await network.read("conv.weight")).data).toEqual((await networkOf(7).read("conv.weight")).data);
    }
  });

  it("aggregateUpdates() gives the same bytes for any order of arrival and any memory, and saveAggregate() the same", async () => {
    const options = {
      rule: { of: carrying as AggregationRule },
      server: { of: counting as unknown as ServerStep },
      clip: 100,
    };
    const first = await aggregateUpdates(networkOf(8), updatesOf([1, 2, 3]), options);
    const small = { ...options, memory: 1 };
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([1, 2, 3], { minLength: 3 }), async (seeds) => {
        const again = await aggregateUpdates(networkOf(8), updatesOf(seeds), small);
        expect(await numbersOf(again.network, "conv.weight")).toEqual(
          await numbersOf(first.network, "conv.weight"),
        );
        expect(again.report).toEqual(first.report);
      }),
      { numRuns: 4 },
    );
    const files = { network: join(folder, "n.safetensors"), state: join(folder, "s.safetensors") };
    const saved = await saveAggregate(networkOf(8), updatesOf([3, 2, 1]), files, small);
    expect(saved.report).toEqual(first.report);
    const [expected, expectedState] = [join(folder, "en.safetensors"), join(folder, "es.safetensors")];
    await saveCheckpoint(first.network, expected);
    await saveCheckpoint(first.state as Checkpoint, expectedState);
    expect(await readFile(files.network)).toEqual(await readFile(expected));
    expect(await readFile(files.state)).toEqual(await readFile(expectedState));
  });

  it("aggregateUpdates() reports a norm of the change that does not depend on memory", async () => {
    const norms = [1, 2 ** 18, 2 ** 30].map(async (memory) => {
      const { report } = await aggregateUpdates(networkOf(8), updatesOf([1, 2, 4, 7]), { memory });
      return report.changeNorm;
    });
    expect(new Set(await Promise.all(norms)).size).toBe(1);
  });

  it("aggregateUpdates() carries the state and the aggregate of the round before", async () => {
    const options = {
      rule: { of: carrying as AggregationRule },
      server: { of: counting as unknown as ServerStep },
    };
    const one = await aggregateUpdates(networkOf(8), updatesOf([1, 2]), options);
    const two = await aggregateUpdates(one.network, updatesOf([1, 2]), {
      ...{ ...options, state: one.state, round: 2 },
    });
    const [before, sum] = [one, two].map(({ state }) => numbersOf(state, "sum/conv.bias"));
    const change = (await numbersOf(two.state, "aggregate/conv.bias")) as number[];
    for (const [i, value] of ((await sum) as number[]).entries()) {
      expect(value).toBeCloseTo(((await before) as number[])[i]! + change[i]!, 5);
    }
  });

  it("aggregateUpdates() clips displacements to a norm, adds noise, averages and keeps what it is told", async () => {
    const zero = createCheckpoint({ w: createTensor("f32", [2], new Float32Array(2)) });
    const far = createCheckpoint({ w: createTensor("f32", [2], Float32Array.of(30, 40)) });
    const near = createCheckpoint({ w: createTensor("f32", [2], Float32Array.of(0, 2)) });
    const updates = [
      { client: "far", examples: 1, network: far },
      { client: "near", examples: 1, network: near },
      { client: "still", examples: 2, network: zero },
    ];
    const { network, report } = await aggregateUpdates(zero, updates, { clip: 5 });
    expect(await numbersOf(network, "w")).toEqual([0.75, 1.5]);
    expect(report.clients.map(({ norm }) => norm)).toEqual([50, 2, 0]);
    const noisy = await aggregateUpdates(zero, updates, {
      noise: (name, begin, change) => {
        expect([name, begin]).toEqual(["w", 0]);
        change[0] = 1;
      },
    });
    expect(await numbersOf(noisy.network, "w")).toEqual([1, 10.5]);
    const treatments = new Map([["w", "average"]] as const);
    const averaged = await aggregateUpdates(zero, updates, { treatments });
    expect(await numbersOf(averaged.network, "w")).toEqual([7.5, 10.5]);
    const keep = await aggregateUpdates(zero, updates, { treatments: new Map([["w", "keep"]] as const) });
    expect(await numbersOf(keep.network, "w")).toEqual([0, 0]);
  });

  it.each([...AGGREGATION_RULES.values()].filter(({ robust }) => robust === true))(
    "aggregateUpdates() takes the median of averaged tensors by $name, which resists attackers",
    async (rule) => {
      const network = (x: number) =>
        createCheckpoint({
          w: createTensor("f32", [1], Float32Array.of(0)),
          v: createTensor("f32", [1], Float32Array.of(x)),
        });
      const updates = [1, 2, 3, 4, 5, 6, -1e6].map((x, i) => ({
        client: `c${i}`,
        examples: 1 + i,
        network: network(x),
      }));
      const treatments = new Map([["v", "average"]] as const);
      const given = Object.entries({ f: 1, bound: 1, radius: 1 }).filter(([name]) => name in rule.parameters);
      const parameters = Object.fromEntries(given);
      const { network: next } = await aggregateUpdates(network(0), updates, {
        rule: { of: rule, parameters },
        treatments,
      });
      expect(await numbersOf(next, "v")).toEqual([3]);
    },
  );

  it("aggregateUpdates() moves by the displacement from the network that a late client began with", async () => {
    const at = (x: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) });
    const update = { client: "late", examples: 1, network: at(12), base: at(10), staleness: 1 };
    const { network } = await aggregateUpdates(at(20), [update]);
    expect(await numbersOf(network, "w")).toEqual([22]);
  });

  it("aggregateUpdates() names the client that sent NaN, unless the rule leaves it out", async () => {
    const at = (x: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) });
    const sent = [1, Number.NaN, 2, 2.5, 3];
    const updates = sent.map((x, i) => ({ client: `c${i}`, examples: 1, network: at(x) }));
    for (const rule of [fedavg, coordinateMedian]) {
      const failing = aggregateUpdates(at(0), updates, { rule: { of: rule as AggregationRule } });
      await expect(failing).rejects.toThrow(/"w" as numbers must be finite: "c1" sent NaN/);
    }
    const { network } = await aggregateUpdates(at(0), updates, {
      rule: { of: krum as unknown as AggregationRule, parameters: { f: 1 } },
    });
    expect(await numbersOf(network, "w")).toEqual([2.5]);
    await expect(aggregateUpdates(at(Number.NaN), updates)).rejects.toThrow(/of the global network are not/);
  });

  it("aggregateUpdates() and saveAggregate() of finite updates refuse what their types cannot hold", async () => {
    const at = (value: number) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(value)) });
    const updates = [{ client: "anna", examples: 1, network: at(2e38) }];
    const files = {
      network: join(folder, "huge.safetensors"),
      state: join(folder, "huge.state.safetensors"),
    };
    const step = (learningRate: number) => ({
      of: average as unknown as ServerStep,
      parameters: { learningRate },
    });
    const huge = { server: step(2) };
    const diverged = expect.objectContaining({
      name: "DivergenceError",
      message: expect.stringContaining('"w"'),
    });
    await expect(aggregateUpdates(at(0), updates, huge)).rejects.toEqual(diverged);
    await expect(saveAggregate(at(0), updates, files, huge)).rejects.toEqual(diverged);
    expect((await readdir(folder)).filter((name) => name.startsWith("huge"))).toEqual([]);
    expect((await aggregateUpdates(at(0), updates, { server: step(1) })).report.stepNorm).toBeCloseTo(
      2e38,
      -33,
    );
  });

  it("aggregateUpdates() goes on from the state of the round before alone", async () => {
    const server = { of: counting as unknown as ServerStep };
    const { network, state } = await aggregateUpdates(networkOf(8), updatesOf([1]), { server });
    await aggregateUpdates(network, updatesOf([1]), { server, state, round: 2 });
    const again = aggregateUpdates(network, updatesOf([1]), { server, state, round: 1 });
    await expect(again).rejects.toThrow(/what the round before left: its round is 1, not 0/);
    const other = aggregateUpdates(network, updatesOf([1]), { state, round: 2 });
    await expect(other).rejects.toThrow(/its server is counting, not average/);
  });

  it("aggregateUpdates() says what is wrong with updates", async () => {
    const global = networkOf(1);
    await expect(aggregateUpdates(global, [])).rejects.toThrow(/no client sent an update/);
    const [one] = updatesOf([1]) as [ClientUpdate];
    await expect(aggregateUpdates(global, [one, one])).rejects.toThrow(/"client 1" sent two updates/);
    await expect(aggregateUpdates(global, [{ ...one, examples: 0 }])).rejects.toThrow(/"examples" must be/);
    const other = createCheckpoint({ w: createTensor("f32", [1], new Float32Array(1)) });
    await expect(aggregateUpdates(global, [{ ...one, network: other }])).rejects.toThrow(/same names/);
    await expect(aggregateUpdates(global, [one], { clip: 0 })).rejects.toThrow(
      /"clip" must be a norm above 0/,
    );
    const treatments = new Map([["norm.batches", "share"]] as const);
    await expect(aggregateUpdates(global, [one], { treatments })).rejects.toThrow(/only floating-point/);
  });
});
