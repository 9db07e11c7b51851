import { at, groupBy, meanOf } from "@isthmus/core";
import { type LossWords, lossWords } from "@isthmus/findings";
import type { NormAccuracies } from "./federation-run.ts";
import type { SimulatedRun, SimulationResult } from "./simulation-result.ts";

/** A mean over seeds, with an interval that has the mean of all seeds in it 95 times of 100. */
export interface Estimate {
  /** Mean of the values of all seeds. */
  readonly mean: number;
  /** Ends of Student's interval; NaN for fewer than three seeds. */
  readonly low: number;
  /** Upper end of the interval; NaN for fewer than three seeds. */
  readonly high: number;
}

/** Summary of the federations of one partition, strategy and attack over all seeds. */
export interface RunSummary {
  /** Name of the partition, the same in all summarized runs. */
  readonly partition: string;
  /** Name of the strategy, the same in all summarized runs. */
  readonly strategy: string;
  /** Name of the attack, the same in all summarized runs. */
  readonly attack: string;
  /** Number of seeds. */
  readonly seeds: number;
  /** Number of federations that failed before their last round. */
  readonly failed: number;
  /** Accuracy of the last evaluation, or its loss if the loss has no errors. */
  readonly score: Estimate;
  /** Mean over the honest clients of their accuracy or loss on examples like their own. */
  readonly local: Estimate;
  /** Standard deviation of that accuracy or loss over the clients. */
  readonly spread: Estimate;
  /** Mean of that accuracy or loss over the worst tenth of the clients. */
  readonly worst: Estimate;
  /**
   * Accuracy or loss of the server's network by the statistics of its batch norms; missing unless they were
   * measured.
   */
  readonly norms?: Readonly<Record<keyof NormAccuracies, Estimate>>;
  /** Mean number of bytes that a federation sent in both directions. */
  readonly bytes: number;
  /** Largest epsilon that one federation spent, in nats, null without noise; missing without privacy. */
  readonly epsilon?: number | null;
  /** Reason why a federation ended early at its privacy budget; missing if none did. */
  readonly stopped?: string;
}

/** Scale of the scores by which the federations of a simulation are compared. */
export interface ScoreScale {
  /** Whether scores are accuracies; if not, they are losses. */
  readonly hasErrors: boolean;
  /** Words for losses, in their unit. */
  readonly losses: LossWords;
}

/**
 * Returns the scale of the scores by which the federations of a simulation are compared: all of them have the
 * same loss.
 */
export function scaleOf({ runs }: Pick<SimulationResult, "runs">): ScoreScale {
  const run = at(runs, 0, "run");
  // Clients have a loss only if there are no accuracies.
  return { hasErrors: run.clients.every(({ loss }) => loss === undefined), losses: lossWords(run) };
}

/** Summarizes the runs of a simulation over seeds, in their order. */
export function summarizeRuns({ runs }: Pick<SimulationResult, "runs">): readonly RunSummary[] {
  const { hasErrors } = scaleOf({ runs });
  const estimateOf = hasErrors ? estimateShare : estimateMean;
  const groups = groupBy(runs, (run) => JSON.stringify([run.partition, run.strategy, run.attack]));
  return [...groups.values()].map((group) => {
    const { partition, strategy, attack } = at(group, 0, "run");
    const estimate = (of: (run: SimulatedRun) => number) => estimateOf(group.map(of));
    return {
      partition,
      strategy,
      attack,
      seeds: group.length,
      failed: group.filter(({ failed }) => failed !== undefined).length,
      score: estimate((run) => (hasErrors ? run.accuracy : run.loss)),
      local: estimate(({ fairness }) => fairness.mean),
      spread: estimate(({ fairness }) => fairness.std),
      worst: estimate(({ fairness }) => fairness.worst),
      bytes: estimateMean(group.map(({ rounds }) => bytesOf(rounds))).mean,
      ...normsOf(group, estimateOf),
      ...privacyOf(group),
    };
  });
}

function normsOf(
  group: readonly SimulatedRun[],
  estimateOf: (values: readonly number[]) => Estimate,
): Pick<RunSummary, "norms"> {
  const norms = group.flatMap((run) => run.norms ?? []);
  if (norms.length < group.length) return {};
  const estimate = (name: keyof NormAccuracies) => estimateOf(norms.map((one) => one[name]));
  return {
    norms: { aggregated: estimate("aggregated"), pooled: estimate("pooled"), own: estimate("own") },
  };
}

function privacyOf(group: readonly SimulatedRun[]): Pick<RunSummary, "epsilon" | "stopped"> {
  const spent = group.flatMap(({ rounds }) => {
    const epsilon = rounds.at(-1)?.epsilon;
    return epsilon === undefined ? [] : [epsilon];
  });
  const stopped = group.find((run) => run.stopped !== undefined)?.stopped;
  return {
    ...(spent.length > 0 && { epsilon: largest(spent) }),
    ...(stopped !== undefined && { stopped }),
  };
}

/** Returns the largest epsilon; null counts as larger than any number. */
function largest(spent: readonly (number | null)[]): number | null {
  const finite = spent.filter((epsilon) => epsilon !== null);
  return finite.length < spent.length ? null : Math.max(...finite);
}

function bytesOf(rounds: SimulatedRun["rounds"]): number {
  const last = rounds.at(-1);
  return last === undefined ? 0 : last.bytesDown + last.bytesUp;
}

/** Quantiles of Student's distribution for 97.5 %, by degrees of freedom from 1. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const;
/** The quantile of the normal distribution, to which Student's quantiles converge for many seeds. */
const NORMAL = 1.96;
/**
 * Smallest number of values for which an interval is computed: the interval of two values extends 13 standard
 * errors to either side, and carries no information beyond that.
 */
export const LEAST_FOR_INTERVAL = 3;

/** Estimates a mean from independent values, with Student's interval of 95 % if there are three or more. */
export function estimateMean(values: readonly number[]): Estimate {
  const mean = meanOf(values);
  const freedom = values.length - 1;
  if (values.length < LEAST_FOR_INTERVAL) return { mean, low: Number.NaN, high: Number.NaN };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  const half = (STUDENT[freedom - 1] ?? NORMAL) * Math.sqrt(variance / values.length);
  return { mean, low: mean - half, high: mean + half };
}

/**
 * Estimates a mean of shares like {@link estimateMean}; the interval is cut to the range of shares, 0 to 1.
 */
export function estimateShare(values: readonly number[]): Estimate {
  const { mean, low, high } = estimateMean(values);
  return { mean, low: Math.max(0, low), high: Math.min(1, high) };
}
