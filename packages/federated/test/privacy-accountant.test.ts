import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClientSampling, PrivacyBudget } from "../src/privacy/accountant/mechanism.ts";
import { noiseMultiplierFor } from "../src/privacy/accountant/noise-multiplier-for.ts";
import {
  deltaSpent,
  epsilonSpent,
  type PrivacyLedger,
  roundsWithin,
  spendPrivacy,
} from "../src/privacy/accountant/privacy-ledger.ts";
import { RENYI_ORDERS, renyiDivergences } from "../src/privacy/accountant/renyi-divergence.ts";
import { roundNoiseMultiplier, updateNoiseMultiplier } from "../src/privacy/adaptive-clip.ts";

interface Golden {
  readonly orders: readonly number[];
  readonly rounds: readonly {
    readonly sampling: ClientSampling;
    readonly noiseMultiplier: number;
    readonly divergences: readonly (number | null)[];
    readonly spent: readonly {
      readonly rounds: number;
      readonly epsilons: readonly (readonly [number, number])[];
      readonly deltas: readonly (readonly [number, number])[];
      /** What dp-accounting itself says for a delta of 1e-4, of sampling without replacement. */
      readonly rounded?: number;
    }[];
  }[];
  readonly compositions: readonly { ledger: PrivacyLedger; delta: number; epsilon: number }[];
  readonly adaptive: readonly {
    readonly sampling: ClientSampling;
    readonly updates: number;
    readonly countDeviation: number;
    readonly rounds: number;
    readonly delta: number;
    readonly epsilon: number;
  }[];
  readonly calibrations: readonly {
    readonly sampling: ClientSampling;
    readonly rounds: number;
    readonly budget: PrivacyBudget;
    readonly noiseMultiplier: number;
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden/privacy.json", import.meta.url), "utf8"));

/** Checks two numbers to a relative difference; below `floor` an absolute one of `floor * relative` is enough. */
function expectClose(actual: number, expected: number, relative: number, floor = 0): void {
  expect(Math.abs(actual - expected), `${actual} for ${expected}`).toBeLessThanOrEqual(
    relative * Math.max(Math.abs(expected), floor),
  );
}

describe("the accountant equals dp-accounting", () => {
  test("at the same orders", () => {
    expect(RENYI_ORDERS.filter((_, i) => i % 7 === 0)).toEqual(golden.orders);
  });

  test.each(golden.rounds)("of $sampling with noise $noiseMultiplier", (round) => {
    const divergences = renyiDivergences(round, golden.orders);
    for (const [i, expected] of round.divergences.entries()) {
      const actual = divergences[i]!;
      if (expected === null) expect(actual).toBe(Number.POSITIVE_INFINITY);
      // A moment is the logarithm of a sum near 1 where little is revealed: 1e-13 is rounding of that sum.
      else expectClose(actual * (golden.orders[i]! - 1), expected * (golden.orders[i]! - 1), 1e-10, 1e-3);
    }
    for (const { rounds, epsilons, deltas, rounded } of round.spent) {
      const ledger = spendPrivacy([], round, rounds);
      for (const [delta, epsilon] of epsilons) expectClose(epsilonSpent(ledger, delta), epsilon, 1e-9);
      for (const [epsilon, delta] of deltas) expectClose(deltaSpent(ledger, epsilon), delta, 1e-8);
      // Its rounding errors are on the safe side: never below.
      if (rounded !== undefined) expect(epsilonSpent(ledger, 1e-4)).toBeLessThanOrEqual(rounded * (1 + 1e-9));
    }
  });

  test.each(golden.compositions)("for several mechanisms one after another", ({ ledger, delta, epsilon }) => {
    expectClose(epsilonSpent(ledger, delta), epsilon, 1e-9);
  });

  test.each(golden.adaptive)("for updates of noise $updates with counts of $countDeviation", (round) => {
    const noiseMultiplier = roundNoiseMultiplier(round.updates, round.countDeviation);
    expectClose(updateNoiseMultiplier(noiseMultiplier, round.countDeviation), round.updates, 1e-12);
    const ledger = spendPrivacy([], { sampling: round.sampling, noiseMultiplier }, round.rounds);
    expectClose(epsilonSpent(ledger, round.delta), round.epsilon, 1e-9);
  });

  test.each(golden.calibrations)("in the noise for $budget in $rounds rounds", (wanted) => {
    const noiseMultiplier = noiseMultiplierFor(wanted.budget, wanted.sampling, wanted.rounds);
    expectClose(noiseMultiplier, wanted.noiseMultiplier, 1e-6);
    const ledger = spendPrivacy([], { sampling: wanted.sampling, noiseMultiplier }, wanted.rounds);
    expect(epsilonSpent(ledger, wanted.budget.delta)).toBeLessThanOrEqual(wanted.budget.epsilon);
  });
});

const samplings: fc.Arbitrary<ClientSampling> = fc.oneof(
  fc.record({
    kind: fc.constant("poisson" as const),
    probability: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  }),
  fc.constant({ kind: "all" as const }),
);
const mechanisms = fc.record({
  sampling: samplings,
  noiseMultiplier: fc.double({ min: 0.3, max: 20, noNaN: true }),
});

describe("roundsWithin", () => {
  test("is the last number of rounds that a budget allows, whatever was spent before", () => {
    const cases = fc.record({
      before: mechanisms,
      mechanism: mechanisms,
      epsilon: fc.double({ min: 0.1, max: 20, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ before, mechanism, epsilon }) => {
        const budget = { epsilon, delta: 1e-5 };
        const ledger = spendPrivacy([], before, 3);
        const rounds = roundsWithin(budget, mechanism, ledger);
        const after = (count: number) =>
          epsilonSpent(count === 0 ? ledger : spendPrivacy(ledger, mechanism, count), budget.delta);
        if (rounds > 0) expect(after(rounds)).toBeLessThanOrEqual(epsilon + 1e-9);
        expect(after(rounds + 1)).toBeGreaterThan(epsilon - 1e-9);
      }),
      { numRuns: 15, seed: 15 },
    );
  });

  test("is 0 without noise, and without limit where no client takes part", () => {
    const budget = { epsilon: 8, delta: 1e-5 };
    expect(roundsWithin(budget, { noiseMultiplier: 0, sampling: { kind: "all" } })).toBe(0);
    const nobody = { noiseMultiplier: 1, sampling: { kind: "poisson", probability: 0 } } as const;
    expect(roundsWithin(budget, nobody)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a ledger", () => {
  const mechanism = { noiseMultiplier: 1.1, sampling: { kind: "poisson", probability: 0.01 } } as const;

  test("counts rounds of the same mechanism together, and can be kept as JSON", () => {
    const once = spendPrivacy(spendPrivacy([], mechanism), mechanism, 4);
    expect(once).toEqual([{ ...mechanism, rounds: 5 }]);
    expect(epsilonSpent(JSON.parse(JSON.stringify(once)), 1e-5)).toBe(epsilonSpent(once, 1e-5));
  });

  test("refuses rounds whose guarantees are for other neighbours", () => {
    const ledger = spendPrivacy([], mechanism);
    const other = { noiseMultiplier: 1, sampling: { kind: "fixed-size", size: 5, population: 50 } } as const;
    expect(() => spendPrivacy(ledger, other)).toThrow(/Poisson and with fixed-size sampling together/);
    expect(() => roundsWithin({ epsilon: 1, delta: 1e-5 }, other, ledger)).toThrow(/together/);
  });

  test.each([
    [{ noiseMultiplier: -1, sampling: { kind: "all" } as const }, /"noiseMultiplier"/],
    [{ noiseMultiplier: Number.NaN, sampling: { kind: "all" } as const }, /"noiseMultiplier"/],
    [{ noiseMultiplier: 1, sampling: { kind: "poisson", probability: 1.1 } as const }, /share of clients/],
    [
      { noiseMultiplier: 1, sampling: { kind: "fixed-size", size: 5, population: 0 } as const },
      /share of clients/,
    ],
  ])("refuses %j", (wrong, message) => {
    expect(() => spendPrivacy([], wrong)).toThrow(message);
  });

  test("refuses deltas, budgets and rounds out of their range", () => {
    expect(() => epsilonSpent([], 0)).toThrow(/"delta" must be above 0/);
    expect(() => deltaSpent([], -1)).toThrow(/"epsilon" must be at least 0/);
    expect(() => spendPrivacy([], mechanism, 0)).toThrow(/"rounds" must be a whole number/);
    expect(() => noiseMultiplierFor({ epsilon: 1, delta: 1e-5 }, mechanism.sampling, 0.5)).toThrow(
      /"rounds"/,
    );
    expect(() => noiseMultiplierFor({ epsilon: 0, delta: 1e-300 }, { kind: "all" }, 1)).toThrow(
      /Cannot stay within epsilon 0/,
    );
  });

  test("has spent nothing before its first round", () => {
    expect(epsilonSpent([], 1e-5)).toBe(0);
    expect(deltaSpent([], 1)).toBe(0);
  });
});
