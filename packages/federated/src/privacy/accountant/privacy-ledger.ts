import { assertWholeOptions, at, UsageError } from "@isthmus/core";
import { deltaOfDivergences, epsilonOfDivergences } from "./convert-divergences.ts";
import {
  assertBudget,
  assertDelta,
  assertMechanism,
  type NeighborRelation,
  type PrivacyBudget,
  type RoundMechanism,
  relationOf,
} from "./mechanism.ts";
import { RENYI_ORDERS, renyiDivergences } from "./renyi-divergence.ts";

/** Rounds of one mechanism. */
export interface PrivacyExpense extends RoundMechanism {
  /** Number of rounds, at least 1. */
  readonly rounds: number;
}

/** Privacy mechanisms of all rounds so far: plain data, which a journal can keep. */
export type PrivacyLedger = readonly PrivacyExpense[];

/**
 * Adds rounds to a ledger; rounds of the same mechanism as the last entry are counted in that entry.
 * @param rounds - whole number of at least 1. @defaultValue 1
 * @throws OutOfRangeError if a number is out of its range
 * @throws UsageError if the account of the ledger is for another relation of neighbours
 */
export function spendPrivacy(ledger: PrivacyLedger, mechanism: RoundMechanism, rounds = 1): PrivacyLedger {
  assertMechanism(mechanism);
  assertWholeOptions("spend privacy", { rounds }, { rounds: 1 });
  const { noiseMultiplier, sampling } = mechanism;
  const last = ledger.at(-1);
  const isSame =
    last?.noiseMultiplier === noiseMultiplier && JSON.stringify(last.sampling) === JSON.stringify(sampling);
  const spent = isSame
    ? [...ledger.slice(0, -1), { ...last, rounds: last.rounds + rounds }]
    : [...ledger, { noiseMultiplier, sampling, rounds }];
  relationOfLedger(spent);
  return spent;
}

/**
 * Computes the epsilon that all rounds of a ledger have spent for a delta, in nats.
 * @throws OutOfRangeError if delta is not in `(0, 1)`
 * @throws UsageError if the rounds are not of one relation of neighbours
 */
export function epsilonSpent(ledger: PrivacyLedger, delta: number): number {
  assertDelta(delta);
  relationOfLedger(ledger);
  return epsilonOfDivergences(RENYI_ORDERS, divergencesOf(ledger), delta);
}

/**
 * Computes the delta that all rounds of a ledger have spent for an epsilon.
 * @throws OutOfRangeError if epsilon is below 0
 * @throws UsageError if the rounds are not of one relation of neighbours
 */
export function deltaSpent(ledger: PrivacyLedger, epsilon: number): number {
  assertBudget({ epsilon, delta: 0.5 });
  relationOfLedger(ledger);
  return deltaOfDivergences(RENYI_ORDERS, divergencesOf(ledger), epsilon);
}

/**
 * Counts the rounds of a mechanism that can still take place within a budget; 0 means that the federation
 * must stop.
 * @param ledger - ledger of the rounds before. @defaultValue no rounds
 * @returns a whole number, or infinity if the rounds reveal nothing
 * @throws OutOfRangeError if a number is out of its range
 * @throws UsageError if the account of the ledger is for another relation of neighbours
 */
export function roundsWithin(
  budget: PrivacyBudget,
  mechanism: RoundMechanism,
  ledger: PrivacyLedger = [],
): number {
  assertBudget(budget);
  relationOfLedger(spendPrivacy(ledger, mechanism));
  const before = divergencesOf(ledger);
  const ofRound = renyiDivergences(mechanism);
  const fits = (rounds: number): boolean => {
    if (rounds === 0) return true;
    const sums = before.map((divergence, i) => divergence + rounds * at(ofRound, i));
    return epsilonOfDivergences(RENYI_ORDERS, sums, budget.delta) <= budget.epsilon;
  };
  if (ofRound.every((divergence) => divergence === 0)) return Number.POSITIVE_INFINITY;
  let [within, beyond] = [0, 1];
  while (fits(beyond)) [within, beyond] = [beyond, 2 * beyond];
  while (beyond - within > 1) {
    const middle = Math.floor((within + beyond) / 2);
    if (fits(middle)) within = middle;
    else beyond = middle;
  }
  return within;
}

/**
 * Returns which data sets count as neighbours in a ledger's guarantee; if all clients take part in each
 * round, the guarantee holds for both relations.
 * @throws UsageError if the ledger has rounds of both relations
 */
function relationOfLedger(ledger: PrivacyLedger): NeighborRelation | "either" {
  const relations = new Set(ledger.map(({ sampling }) => relationOf(sampling)));
  relations.delete("either");
  if (relations.size > 1) {
    throw new UsageError(
      `Cannot account for rounds with Poisson and with fixed-size sampling together, as one is for clients that are ` +
        `added or removed, the other for clients that are replaced: sample all ${ledger.length} kinds of rounds alike`,
    );
  }
  const [relation = "either"] = relations;
  return relation;
}

function divergencesOf(ledger: PrivacyLedger): number[] {
  const sums = RENYI_ORDERS.map(() => 0);
  for (const { rounds, ...mechanism } of ledger) {
    for (const [i, divergence] of renyiDivergences(mechanism).entries()) {
      sums[i] = at(sums, i) + rounds * divergence;
    }
  }
  return sums;
}
