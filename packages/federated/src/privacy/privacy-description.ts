import { OutOfRangeError, UnsupportedError } from "@isthmus/core";
import {
  assertDelta,
  assertMechanism,
  type ClientSampling,
  type NeighborRelation,
  type RoundMechanism,
  relationOf,
} from "./accountant/mechanism.ts";
import { epsilonSpent, type PrivacyLedger, roundsWithin, spendPrivacy } from "./accountant/privacy-ledger.ts";
import { type AdaptClipOptions, adaptClip, updateNoiseMultiplier } from "./adaptive-clip.ts";
import { centralDeviation, localDeviation } from "./private-mean.ts";

/** Description of a federation's differential privacy, which hides each of its clients, as plain data. */
export interface PrivacyDescription {
  /** Bound on the norm of an update, to which longer updates are shortened; `adaptive` begins with it. */
  readonly clip: number;
  /**
   * Noise multiplier of a round, at least 0: the standard deviation of the noise divided by the largest
   * change of the sum that one client can cause. With `adaptive` the multiplier covers both the updates and
   * the count.
   */
  readonly noise: number;
  /**
   * Expected number of clients in a round, above 0: the sum is divided by it, however many clients take part.
   */
  readonly clients: number;
  /** Method by which the clients of a round are chosen: the account holds only if this is true. */
  readonly sampling: ClientSampling;
  /** Probability that the guarantee does not hold, in `(0, 1)`; well below one over the number of clients. */
  readonly delta: number;
  /** Largest epsilon, above 0, in nats: the federation ends before it is exceeded. @defaultValue no limit */
  readonly budget?: number | undefined;
  /** Adaptation of the bound to a quantile of the norms. @defaultValue the bound is constant */
  readonly adaptive?: AdaptClipOptions | undefined;
  /**
   * Unit of clipping: the whole update, or each of its `L` layers to `clip / sqrt(L)`, which hides a client
   * equally well. @defaultValue "network"
   */
  readonly by?: "network" | "layer" | undefined;
  /**
   * Party that shortens updates and adds noise: the server, which adds noise to the mean, or each client,
   * which adds noise to its own update, so that the server need not be trusted and any rule may follow.
   * @defaultValue "server"
   */
  readonly at?: "server" | "clients" | undefined;
}

/** State that a private federation carries from round to round, as plain data. */
export interface PrivacyState {
  /** Largest norm of an update in the next round. */
  readonly clip: number;
  /** Privacy mechanisms of the rounds before. */
  readonly ledger: PrivacyLedger;
}

/** Returns the state of a private federation before its first round. */
export function beginPrivacy({ clip }: PrivacyDescription): PrivacyState {
  return { clip, ledger: [] };
}

/** Returns the privacy mechanism of one round, for the accountant. */
export function mechanismOf({ noise, sampling }: PrivacyDescription): RoundMechanism {
  return { noiseMultiplier: noise, sampling };
}

/** Returns whether clients add the noise, and not the server. */
export function isLocal({ at }: Pick<PrivacyDescription, "at">): boolean {
  return at === "clients";
}

/**
 * Returns the relation of neighbouring rounds for which the noise is made; if all clients take part, rounds
 * with one client more or less.
 */
function neighborsOf({ sampling }: PrivacyDescription): NeighborRelation {
  const relation = relationOf(sampling);
  return relation === "either" ? "add-or-remove-one" : relation;
}

/**
 * Computes the standard deviation of the noise on each element: of the mean, or of each update if clients add
 * the noise.
 * @param clip - bound of the round
 */
export function deviationOf(privacy: PrivacyDescription, clip: number): number {
  const { noise, clients, adaptive } = privacy;
  if (isLocal(privacy)) return localDeviation(noise, clip);
  const relation = neighborsOf(privacy);
  if (adaptive === undefined) return centralDeviation(noise, clip, clients, relation);
  const { countDeviation } = countUnclipped(privacy, { clip, norms: [] }, { seed: 0, round: 0 });
  return centralDeviation(updateNoiseMultiplier(noise, countDeviation, relation), clip, clients, relation);
}

/** Adapts the bound to the norms of a round, with noise on the count of norms within the bound. */
export function countUnclipped(
  { clients, adaptive }: PrivacyDescription,
  { clip, norms }: { readonly clip: number; readonly norms: readonly number[] },
  place: Parameters<typeof adaptClip>[2],
): ReturnType<typeof adaptClip> {
  const unclipped = norms.filter((norm) => norm <= clip).length;
  return adaptClip(clip, { unclipped, clients: norms.length, expectedClients: clients }, place, adaptive);
}

/**
 * Counts the rounds that the budget of a federation has room for; infinity without a budget.
 * @param state - privacy state of the federation. @defaultValue the state before its first round
 */
export function privateRoundsLeft(
  privacy: PrivacyDescription,
  { ledger }: PrivacyState = beginPrivacy(privacy),
): number {
  const { budget, delta } = privacy;
  if (budget === undefined) return Number.POSITIVE_INFINITY;
  return roundsWithin({ epsilon: budget, delta }, mechanismOf(privacy), ledger);
}

/** Describes that a budget has no room for another round, with the epsilon before and after such a round. */
export function describeSpent(privacy: PrivacyDescription, { ledger }: PrivacyState): string {
  const { budget, delta } = privacy;
  const rounds = ledger.reduce((sum, expense) => sum + expense.rounds, 0);
  const before = rounds === 0 ? 0 : epsilonSpent(ledger, delta);
  const after = epsilonSpent(spendPrivacy(ledger, mechanismOf(privacy)), delta);
  return (
    `the privacy budget of epsilon ${budget} at delta ${delta} has no room for another round: ` +
    `${rounds} spent ${before.toPrecision(4)}, and one more would make it ${after.toPrecision(4)}`
  );
}

/**
 * Checks the numbers of a description.
 * @throws OutOfRangeError if one is out of its range
 * @throws UsageError if `adaptive` has an unknown option
 * @throws UnsupportedError if clients add the noise, but the bound is adaptive or clients are sampled
 */
export function assertPrivacy(privacy: PrivacyDescription): void {
  if (isLocal(privacy)) assertLocal(privacy);
  assertMechanism(mechanismOf(privacy));
  assertDelta(privacy.delta);
  const { budget } = privacy;
  if (budget !== undefined && !(budget > 0 && Number.isFinite(budget))) {
    throw new OutOfRangeError(
      `Cannot account for rounds as "budget" must be a finite epsilon above 0: it is ${budget}`,
    );
  }
  deviationOf(privacy, privacy.clip);
}

/** Checks that a description in which clients add the noise has no adaptive bound and no sampling. */
function assertLocal({ adaptive, sampling }: PrivacyDescription): void {
  if (adaptive !== undefined) {
    throw new UnsupportedError(
      'Cannot let clients add noise with a bound that is "adaptive" as nobody counts how many updates are within it: leave it out',
      { feature: "privacy" },
    );
  }
  if (sampling.kind !== "all") {
    throw new UnsupportedError(
      "Cannot let clients add noise and account for sampling as the server sees whom it asked, so that nobody is hidden " +
        'by chance: write "sampling: { kind: all }"',
      { feature: "privacy" },
    );
  }
}

/** Returns whether the budget of a federation has room for one more round. */
export function hasRoom(privacy: PrivacyDescription, { ledger }: PrivacyState): boolean {
  const { budget, delta } = privacy;
  return budget === undefined || epsilonSpent(spendPrivacy(ledger, mechanismOf(privacy)), delta) <= budget;
}
