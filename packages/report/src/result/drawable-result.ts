import {
  BARRIER_LABELS,
  type BarrierCurve,
  type BarrierDecomposition,
  type BarrierResult,
  type LayersResult,
  type MapResult,
  type PlaneResult,
} from "@isthmus/barrier";
import type { CurvatureHistory, CurvatureResult } from "@isthmus/curvature";
import type { CurveResult } from "@isthmus/curve";
import type { AttackResult, EnsembleResult, ParetoResult } from "@isthmus/ensemble";
import type { SimulationResult } from "@isthmus/federated";
import type { Provenance } from "@isthmus/findings";
import type { LandscapeResult } from "@isthmus/landscape";
import type { MechanismsResult } from "@isthmus/mechanisms";
import type { DropoutPathResult, DropoutStabilityResult, WalkedPathResult } from "@isthmus/paths";
import type { MergeFinding, NetworkComparison, PairVerdict, Verdict } from "@isthmus/recipe";
import type { SimilarityResult } from "@isthmus/similarity";
import type { PruneResult } from "@isthmus/sparsity";
import type { StarResult } from "@isthmus/star-domain";
import type { StudyResult } from "@isthmus/study";
import type { IntrinsicDimensionResult } from "@isthmus/subspace";

/** A barrier as the verb prints it, with what it was compared with and taken apart into. */
export interface ComparedBarrierResult extends BarrierResult {
  /** The barrier to B before its alignment, if both were measured. */
  readonly asGiven?: BarrierResult;
  /** The barrier half-way, taken apart by layers or examples. */
  readonly decomposition?: BarrierDecomposition;
  /** How B was aligned to A; missing if nothing is known of an alignment. */
  readonly alignment?: object;
}

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

/** Any result that can be drawn; files that a command wrote say which one it was. */
export type DrawableResult = (
  | ComparedBarrierResult
  | LayersResult
  | PlaneResult
  | MapResult
  | CurveResult
  | StarResult
  | StudyResult
  | SimulationResult
  | ComparisonResult
  | CurvatureResult
  | EnsembleResult
  | AttackResult
  | ParetoResult
  | LandscapeResult
  | CurvatureHistory
  | DropoutStabilityResult
  | DropoutPathResult
  | WalkedPathResult
  | IntrinsicDimensionResult
  | SimilarityResult
  | PruneResult
  | MechanismsResult
) & { readonly provenance?: Provenance };

/** Anything that can be drawn: one result, or several barriers under names of their own, to be compared. */
export type Drawable = DrawableResult | readonly BarrierCurve[];

/** Tells named barriers from a single result. */
export function isNamedBarriers(drawable: Drawable): drawable is readonly BarrierCurve[] {
  return Array.isArray(drawable);
}

/** Curves of a barrier, before and after alignment if it has both; the last one taken apart if it was. */
export function curvesOf({ asGiven, decomposition, ...result }: ComparedBarrierResult): BarrierCurve[] {
  // A result that says nothing of an alignment may still be one of networks that a script has aligned.
  const label =
    result.alignment === undefined && asGiven === undefined ? BARRIER_LABELS.given : BARRIER_LABELS.aligned;
  return [
    ...(asGiven ? [{ label: BARRIER_LABELS.given, result: asGiven }] : []),
    { label, result, ...(decomposition && { decomposition }) },
  ];
}
