import type { MergeAdvice } from "./advice/merge-advice.ts";
import type { NetworkComparison } from "./comparison.ts";
import type { FamilyTrees } from "./descent/family-trees.ts";
import type { MergeFinding } from "./findings/merge-finding.ts";
import type { PairVerdict, Verdict } from "./judge-pair.ts";

/** A comparison of networks as `isthmus compare` prints it: with its consequences for a merge. */
export interface ComparisonResult extends NetworkComparison {
  /** The worst verdict on networks that are to be merged. */
  readonly verdict: Verdict;
  /** Confidence in the verdict, from 0.5 (a guess) to 1. */
  readonly confidence: number;
  /** Verdicts on all pairs, in the order of `pairs`. */
  readonly verdicts: readonly PairVerdict[];
  /** Findings that concern a merge, errors first. */
  readonly findings: readonly Omit<MergeFinding, "kind">[];
  /** Which network was trained from which, as far as weights tell; null in results of earlier versions. */
  readonly descent: FamilyTrees | null;
  /** How to merge the networks; null in results of earlier versions. */
  readonly advice: MergeAdvice | null;
}
