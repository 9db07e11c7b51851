import type { BarrierResult } from "./barrier-result.ts";
import type { BarrierDecomposition } from "./decomposition-result.ts";
import { BARRIER_LABELS, type BarrierCurve } from "./describe/barrier-curve.ts";

/**
 * Result of the command `isthmus barrier`: a barrier, with the barrier before alignment and a decomposition
 * if these were measured.
 */
export interface ComparedBarrierResult extends BarrierResult {
  /** Barrier to B before its alignment; absent if it was not measured. */
  readonly asGiven?: BarrierResult;
  /** Decomposition of the barrier half-way, by layers and by examples. */
  readonly decomposition?: BarrierDecomposition;
  /** Record of the alignment of B to A; missing if no alignment is known. */
  readonly alignment?: object;
}

/**
 * Lists the curves of a barrier, before and after alignment if it has both; the last one has the
 * decomposition, if there is one.
 */
export function curvesOf({ asGiven, decomposition, ...result }: ComparedBarrierResult): BarrierCurve[] {
  // A result without a record of an alignment may still be of networks that a script has aligned.
  const label =
    result.alignment === undefined && asGiven === undefined ? BARRIER_LABELS.given : BARRIER_LABELS.aligned;
  return [
    ...(asGiven ? [{ label: BARRIER_LABELS.given, result: asGiven }] : []),
    { label, result, ...(decomposition && { decomposition }) },
  ];
}
