import { UnsupportedError, UsageError } from "@isthmus/core";
import { epsilonSpent, spendPrivacy } from "../privacy/accountant/privacy-ledger.ts";
import { assertPrivate } from "../privacy/assert-private.ts";
import { addGaussianNoiseInPlace } from "../privacy/gaussian-noise.ts";
import {
  assertPrivacy,
  beginPrivacy,
  countUnclipped,
  describeSpent,
  deviationOf,
  hasRoom,
  isLocal,
  mechanismOf,
  type PrivacyDescription,
  type PrivacyState,
} from "../privacy/privacy-description.ts";
import { privateMean } from "../privacy/private-mean-rule.ts";
import { drawSecret } from "../random/derive-key.ts";
import type { AggregationRule } from "../rules/aggregation-rule.ts";
import type { ClientUpdate } from "../updates/client-update.ts";
import { AGGREGATE_DEFAULTS, type AggregateOptions, type Configured } from "./aggregate-options.ts";

/** Report of a private round, as plain data: its bound, its noise and the privacy loss so far. */
export interface PrivacyReport {
  /** Bound on the norm of an update in this round. */
  readonly clip: number;
  /**
   * Standard deviation of the noise that was added to each element of the change, or of each update if
   * clients add the noise.
   */
  readonly deviation: number;
  /** Epsilon that all rounds up to this one have spent, in nats; infinity without noise. */
  readonly epsilon: number;
  /** Probability that the guarantee does not hold. */
  readonly delta: number;
  /** State to pass to the next round as `privacyState`. */
  readonly next: PrivacyState;
}

/** A private round, before its updates are measured. */
export interface PrivateRound {
  /** Options of a round that clips updates and adds noise. */
  readonly options: Readonly<Required<AggregateOptions>>;
  /**
   * Reports the round; `norms`, which returns the norms of all updates, is called only if the bound is
   * adaptive.
   */
  report(norms: () => readonly number[]): PrivacyReport;
}

/**
 * Reports the privacy loss of a private round that does not adapt its bound, such as a failed round, which
 * spends its part of the budget all the same.
 * @param state - privacy state after the rounds before. @defaultValue the state before the first round
 */
export function spendRound(
  privacy: PrivacyDescription,
  state: PrivacyState = beginPrivacy(privacy),
): PrivacyReport {
  const { clip } = state;
  const { delta } = privacy;
  const ledger = spendPrivacy(state.ledger, mechanismOf(privacy));
  const epsilon = epsilonSpent(ledger, delta);
  return { clip, deviation: deviationOf(privacy, clip), epsilon, delta, next: { clip, ledger } };
}

/**
 * Sets the rule and the noise of a private round; returns undefined if the round is not private.
 * @throws UnsupportedError if something else of the round breaks the account
 * @throws UsageError if the budget has no room for the round
 * @throws OutOfRangeError if a number of the privacy description is out of its range
 */
export function planPrivateRound(
  options: Readonly<Required<AggregateOptions>>,
  updates: readonly ClientUpdate[],
): PrivateRound | undefined {
  const { privacy, round } = options;
  if (privacy === undefined) return undefined;
  assertPrivacy(privacy);
  // Any processing of updates that are private by themselves reveals nothing more.
  if (!isLocal(privacy)) assertChoices(options);
  if (privacy.sampling.kind !== "all") assertPunctual(updates);
  const state = options.privacyState ?? beginPrivacy(privacy);
  const { clients, adaptive } = privacy;
  const spent = spendRound(privacy, state);
  const { clip, deviation } = spent;
  if (!hasRoom(privacy, state)) {
    throw new UsageError(
      `Cannot aggregate round ${round} as ${describeSpent(privacy, state)}; the federation must end here`,
    );
  }
  // Whoever knows the seed can subtract the noise, so if no seed is given, a secret one is drawn.
  const seed = options.noiseSeed ?? drawSecret();
  if (isLocal(privacy)) return { options, report: () => spent };
  const draw = drawOf(round, state);
  return {
    options: {
      ...options,
      rule: { of: privateMean as unknown as AggregationRule, parameters: { clip, clients } },
      noise: (tensor, begin, change) => {
        addGaussianNoiseInPlace({ seed, round: draw, tensor }, begin, deviation, change);
      },
    },
    report: (norms) => ({
      ...spent,
      next: {
        ...spent.next,
        clip:
          adaptive === undefined
            ? clip
            : countUnclipped(privacy, { clip, norms: norms() }, { seed, round: draw }).clip,
      },
    }),
  };
}

/**
 * Returns the number from which the noise of a round is derived, different for each round: the number of the
 * aggregation, or a larger one if failed rounds have spent privacy too.
 */
function drawOf(round: number, { ledger }: PrivacyState): number {
  return Math.max(round, 1 + ledger.reduce((sum, { rounds }) => sum + rounds, 0));
}

function assertChoices({ rule, preAggregations, clip, noise, treatments }: Required<AggregateOptions>): void {
  assertPrivate({
    rule: isDefault(rule) ? undefined : rule.of,
    before: preAggregations.map(({ of }) => of.name),
    clip,
    treatments,
  });
  if (noise !== undefined) {
    throw new UsageError(
      'Cannot aggregate a private round as "privacy" adds noise of its own, and "noise" is given too: leave one out',
    );
  }
}

const isDefault = (rule: Configured<AggregationRule>): boolean => rule === AGGREGATE_DEFAULTS.rule;

/** Checks that no update is late: a late update counts in a round for which its client was not sampled. */
function assertPunctual(updates: readonly ClientUpdate[]): void {
  const late = updates.find(({ staleness = 0 }) => staleness > 0);
  if (late === undefined) return;
  throw new UnsupportedError(
    `Cannot keep the account of privacy as "${late.client}" is late, and counts in a round that it was not ` +
      'sampled for: refuse late updates, or account for the sampling { kind: "all" }',
    { feature: "privacy" },
  );
}
