import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  saveCheckpoint,
} from "@isthmus/core";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { PRE_AGGREGATIONS } from "../pre-aggregations.ts";
import { epsilonSpent } from "../privacy/accountant/privacy-ledger.ts";
import { type PrivacyDescription, privateRoundsLeft } from "../privacy/privacy-description.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import type { ClientUpdate } from "../updates/client-update.ts";
import type { AggregateOptions } from "./aggregate-options.ts";
import { aggregateUpdates } from "./aggregate-updates.ts";
import { spendRound } from "./private-round.ts";
import { saveAggregate } from "./save-aggregate.ts";

const folder = await mkdtemp(join(tmpdir(), "private-"));
afterAll(() => rm(folder, { recursive: true }));

const networkOf = (values: ArrayLike<number>): Checkpoint =>
  createCheckpoint({ w: createTensor("f32", [values.length], Float32Array.from(values)) });
const numbersOf = async (network: Checkpoint) => [...((await network.read("w")).data as Float32Array)];
const updatesOf = (displacements: readonly ArrayLike<number>[]): ClientUpdate[] =>
  displacements.map((values, i) => ({ client: `client ${i}`, examples: 1 + i, network: networkOf(values) }));

const SIZE = 40_000;
const zero = networkOf(new Float32Array(SIZE));
const still = updatesOf([new Float32Array(SIZE), new Float32Array(SIZE)]);
const privacy: PrivacyDescription = {
  ...{ clip: 2, noise: 3, clients: 4, delta: 1e-5 },
  sampling: { kind: "poisson", probability: 0.1 },
};
const varianceOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x * x, 0) / values.length;

describe("aggregateUpdates() with privacy", () => {
  it("aggregateUpdates() without noise and with a huge bound is the unweighted mean, bit for bit", async () => {
    const vector = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 5, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(vector, { minLength: 1, maxLength: 6 }), async (displacements) => {
        const global = networkOf([1, 2, 3, 4, 5]);
        const updates = updatesOf(displacements);
        const open = { ...privacy, clip: 1e9, noise: 0, clients: updates.length };
        const { network, report } = await aggregateUpdates(global, updates, { privacy: open });
        const equal = updates.map((update) => ({ ...update, examples: 1 }));
        const mean = await aggregateUpdates(global, equal);
        expect(await numbersOf(network)).toEqual(await numbersOf(mean.network));
        expect(report.rule).toBe("private-mean");
        expect(report.privacy?.epsilon).toBe(Number.POSITIVE_INFINITY);
      }),
      { seed: 15, numRuns: 30 },
    );
  });

  it("aggregateUpdates() lets a client move the mean by the bound over the expected number at most", async () => {
    const updates = updatesOf([
      [30, 40],
      [0, 1],
      [0, 0],
    ]);
    const { network } = await aggregateUpdates(networkOf([0, 0]), updates, {
      privacy: { ...privacy, noise: 0 },
    });
    // The first is shortened from 50 to 2; the sum is divided by 4, though 3 came.
    const [x, y] = await numbersOf(network);
    expect(x).toBeCloseTo(1.2 / 4, 6);
    expect(y).toBeCloseTo((1.6 + 1) / 4, 6);
  });

  it("aggregateUpdates() adds the noise that it accounts for, another in each round and without a seed", async () => {
    const run = async (options: AggregateOptions) => {
      const { network, report } = await aggregateUpdates(zero, still, { privacy, ...options });
      return { noise: await numbersOf(network), report };
    };
    const seeded = await run({ noiseSeed: 7 });
    expect(seeded.report.privacy?.deviation).toBe((3 * 2) / 4);
    // The standard error of the variance of 40,000 draws is 0.7 %.
    expect(Math.abs(varianceOf(seeded.noise) / 1.5 ** 2 - 1)).toBeLessThan(0.035);
    expect((await run({ noiseSeed: 7 })).noise).toEqual(seeded.noise);
    expect((await run({ noiseSeed: 7, round: 2 })).noise).not.toEqual(seeded.noise);
    // A round that failed was spent, and its noise is not drawn again though no step was made.
    const { next } = spendRound(privacy);
    expect(next.ledger).toEqual(seeded.report.privacy?.next.ledger);
    const after = await run({ noiseSeed: 7, privacyState: next });
    expect(after.noise).not.toEqual(seeded.noise);
    expect(after.noise).toEqual((await run({ noiseSeed: 7, privacyState: next, round: 2 })).noise);
    const [first, second] = [await run({}), await run({})];
    expect(first.noise).not.toEqual(second.noise);
    const replaced = { ...privacy, sampling: { kind: "fixed-size", size: 2, population: 8 } } as const;
    expect((await run({ privacy: replaced })).report.privacy?.deviation).toBe(3);
  });

  it("aggregateUpdates() carries bound and ledger as plain data, and ends at the budget", async () => {
    const limited = { ...privacy, noise: 1, budget: 4, adaptive: { quantile: 0.5, countDeviation: 1 } };
    let state: AggregateOptions["privacyState"];
    const rounds = privateRoundsLeft(limited);
    expect(rounds).toBeGreaterThan(2);
    for (let round = 1; round <= rounds; round++) {
      const options = { privacy: limited, privacyState: state, noiseSeed: 1, round };
      const { report } = await aggregateUpdates(
        networkOf([0]),
        updatesOf([[0.1], [0.1], [0.1], [0.1]]),
        options,
      );
      const spent = at(report.privacy === undefined ? [] : [report.privacy], 0);
      const ledger = [{ noiseMultiplier: 1, sampling: limited.sampling, rounds: round }];
      expect(spent.epsilon).toBe(epsilonSpent(ledger, limited.delta));
      expect(spent.next.ledger).toEqual(ledger);
      expect(spent.clip).toBe(state?.clip ?? 2);
      expect(spent.next.clip).not.toBe(spent.clip);
      // Updates have more noise than the round is accounted for, as the count takes its part.
      expect(spent.deviation).toBeGreaterThan(spent.clip / 4);
      state = JSON.parse(JSON.stringify(spent.next));
    }
    expect(state?.clip).toBeLessThan(2);
    await expect(
      aggregateUpdates(zero, still, { privacy: limited, privacyState: state, round: rounds + 1 }),
    ).rejects.toThrow(/budget of epsilon 4 at delta 0.00001 has no room for another round: \d+ spent 3\.\d+/);
  });

  it("saveAggregate() writes the same bytes range by range", async () => {
    const random = createRandom(2);
    const updates = updatesOf([0, 1].map(() => Float32Array.from({ length: SIZE }, () => random.normal())));
    const options = { privacy, noiseSeed: 3 };
    const expected = await aggregateUpdates(zero, updates, options);
    await saveCheckpoint(expected.network, join(folder, "expected.safetensors"));
    const files = { network: join(folder, "n.safetensors"), state: join(folder, "s.safetensors") };
    const saved = await saveAggregate(zero, updates, files, { ...options, memory: 1 });
    expect(saved.report.privacy).toEqual(expected.report.privacy);
    expect(saved.report.clients).toEqual(expected.report.clients);
    expect(await readFile(files.network)).toEqual(await readFile(join(folder, "expected.safetensors")));
  });

  const of = (name: string) =>
    at(
      [AGGREGATION_RULES.get(name)].flatMap((rule) => rule ?? []),
      0,
    );
  const nnm = at([...PRE_AGGREGATIONS.values()], 0);
  it.each<[string, AggregateOptions, RegExp]>([
    ["weights by examples", { rule: { of: of("fedavg") } }, /"fedavg" weighs clients by their examples/],
    ["the median", { rule: { of: of("coordinate-median") } }, /decides on each element/],
    ["krum", { rule: { of: of("krum"), parameters: { f: 0 } } }, /chooses by distances/],
    ["qfedavg", { rule: { of: of("qfedavg") } }, /weighs clients by losses/],
    [
      "a step before",
      { preAggregations: [{ of: nnm }] },
      /puts the update of one client into several points/,
    ],
    ["a second bound", { clip: 1 }, /a second bound of 1 is given/],
    ["other noise", { noise: () => {} }, /"noise" is given too/],
    ["averaged tensors", { treatments: new Map([["w", "average"]]) }, /tensor "w" is averaged without/],
    ["no budget", { privacy: { ...privacy, budget: 0 } }, /"budget" must be a finite epsilon above 0/],
    ["a bound of 0", { privacy: { ...privacy, clip: 0 } }, /"clip" must be a finite number above 0/],
    ["a delta of 1", { privacy: { ...privacy, delta: 1 } }, /"delta" must be above 0 and below 1/],
    ["no clients", { privacy: { ...privacy, clients: 0 } }, /"expectedWeight"/],
    ["too little noise on the count", { privacy: { ...privacy, adaptive: {} } }, /raise "countDeviation"/],
  ])("aggregateUpdates() refuses %s, with the reason", async (_, options, message) => {
    await expect(aggregateUpdates(zero, still, { privacy, ...options })).rejects.toThrow(message);
  });

  it("aggregateUpdates() refuses late updates where clients are sampled", async () => {
    const late = still.map((update) => ({ ...update, staleness: 1, base: zero }));
    await expect(aggregateUpdates(zero, late, { privacy })).rejects.toThrow(/"client 0" is late/);
    const all = { ...privacy, sampling: { kind: "all" } } as const;
    expect((await aggregateUpdates(zero, late, { privacy: all })).report.clients).toHaveLength(2);
  });
});
