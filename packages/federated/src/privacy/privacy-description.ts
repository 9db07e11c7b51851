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

/** How a federation hides each of its clients, as plain data. */
export interface PrivacyDescription {
  /** Largest norm of an update, to which longer ones are shortened; `adaptive` begins with it. */
  readonly clip: number;
  /**
   * Noise multiplier of a round, at least 0: the standard deviation of the noise divided by how far one
   * client can move the sum. With `adaptive` it covers both the updates and the count.
   */
  readonly noise: number;
  /** Number of clients that is expected of a round, above 0: the sum is divided by it, whoever comes. */
  readonly clients: number;
  /** How the clients of a round are chosen: the account holds if it is true. */
  readonly sampling: ClientSampling;
  /** Probability that the guarantee does not hold, in `(0, 1)`; well below one over the number of clients. */
  readonly delta: number;
  /** Largest epsilon, above 0, in nats: the federation ends before it is exceeded. @defaultValue no limit */
  readonly budget?: number | undefined;
  /** How the bound follows a quantile of the norms. @defaultValue it stays as it is */
  readonly adaptive?: AdaptClipOptions | undefined;
  /**
   * What is shortened: the whole update, or each of its `L` layers to `clip / sqrt(L)`, which hides a client
   * as well. @defaultValue "network"
   */
  readonly by?: "network" | "layer" | undefined;
  /**
   * Who shortens updates and adds noise: the server, to their mean, or each client to its own update, so that
   * the server need not be trusted; any rule may follow then. @defaultValue "server"
   */
  readonly at?: "server" | "clients" | undefined;
}

/** What a private federation carries from round to round, as plain data. */
export interface PrivacyState {
  /** Largest norm of an update in the next round. */
  readonly clip: number;
  /** What the rounds before have revealed. */
  readonly ledger: PrivacyLedger;
}

/** Returns the state of a private federation before its first round. */
export function beginPrivacy({ clip }: PrivacyDescription): PrivacyState {
  return { clip, ledger: [] };
}

/** Returns what one round reveals, for the accountant. */
export function mechanismOf({ noise, sampling }: PrivacyDescription): RoundMechanism {
  return { noiseMultiplier: noise, sampling };
}

/** Returns whether clients add the noise, and not the server. */
export function isLocal({ at }: Pick<PrivacyDescription, "at">): boolean {
  return at === "clients";
}

/**
 * Returns which neighbouring rounds the noise is made for; where all clients take part, those with a client
 * more or less.
 */
function neighborsOf({ sampling }: PrivacyDescription): NeighborRelation {
  const relation = relationOf(sampling);
  return relation === "either" ? "add-or-remove-one" : relation;
}

/**
 * Computes the standard deviation of the noise on each element: of the mean, or of each update where clients
 * add it.
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

/** Moves the bound by the norms of a round, with noise on how many are within it. */
export function countUnclipped(
  { clients, adaptive }: PrivacyDescription,
  { clip, norms }: { readonly clip: number; readonly norms: readonly number[] },
  place: Parameters<typeof adaptClip>[2],
): ReturnType<typeof adaptClip> {
  const unclipped = norms.filter((norm) => norm <= clip).length;
  return adaptClip(clip, { unclipped, clients: norms.length, expectedClients: clients }, place, adaptive);
}

/**
 * Counts the rounds that the budget of a federation has room for; infinity without one.
 * @param state - where the federation is. @defaultValue before its first round
 */
export function privateRoundsLeft(
  privacy: PrivacyDescription,
  { ledger }: PrivacyState = beginPrivacy(privacy),
): number {
  const { budget, delta } = privacy;
  if (budget === undefined) return Number.POSITIVE_INFINITY;
  return roundsWithin({ epsilon: budget, delta }, mechanismOf(privacy), ledger);
}

/** Says that a budget has no room for another round, and what it would take. */
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
 * @throws UsageError if there is no option of a name for the bound that adapts
 * @throws UnsupportedError if clients add the noise, and the rest needs a server that sees more
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

/** Checks that nothing is asked for that only a server which adds the noise can do. */
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
