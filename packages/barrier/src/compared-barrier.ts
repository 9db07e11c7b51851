import type { BarrierResult } from "./barrier-result.ts";
import type { BarrierDecomposition } from "./decomposition-result.ts";
import { BARRIER_LABELS, type BarrierCurve } from "./describe/barrier-curve.ts";

/** A barrier as the verb prints it, with what it was compared with and taken apart into. */
export interface ComparedBarrierResult extends BarrierResult {
  /** The barrier to B before its alignment, if both were measured. */
  readonly asGiven?: BarrierResult;
  /** The barrier half-way, taken apart by layers or examples. */
  readonly decomposition?: BarrierDecomposition;
  /** How B was aligned to A; missing if nothing is known of an alignment. */
  readonly alignment?: object;
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
