import type { NetworkComparison } from "./comparison.ts";
import type { MergeFinding } from "./findings/merge-finding.ts";
import type { PairVerdict, Verdict } from "./judge-pair.ts";

/** A comparison of networks as the verb prints it: with what it means for a merge. */
export interface ComparisonResult extends NetworkComparison {
  /** The worst verdict on networks that are to be merged. */
  readonly verdict: Verdict;
  /** From 0.5, a guess, to 1. */
  readonly confidence: number;
  /** Verdicts on all pairs, in their order. */
  readonly verdicts: readonly PairVerdict[];
  /** What to know before a merge, errors first. */
  readonly findings: readonly Omit<MergeFinding, "kind">[];
}
