import type { BarrierResult, LayersResult, PlaneResult } from "@isthmus/barrier";
import type { CurveResult } from "@isthmus/curve";
import type { StarResult } from "@isthmus/star-domain";
import type { StudyResult } from "@isthmus/study";
import type { BarrierCurve } from "../barrier-curve.ts";

/** A barrier as the verb prints it: with that of the networks as trained, if it aligned them first. */
export interface ComparedBarrierResult extends BarrierResult {
  readonly asTrained?: BarrierResult;
  readonly alignment?: object;
}

/** The command that made a result. */
export interface Provenance {
  readonly command: string;
  /** Of the software. */
  readonly version: string;
}

/** Any result that can be drawn; files that a command wrote say which one it was. */
export type DrawableResult = (
  | ComparedBarrierResult
  | LayersResult
  | PlaneResult
  | CurveResult
  | StarResult
  | StudyResult
) & { readonly provenance?: Provenance };

/** Curves of a barrier, before and after alignment if it has both. */
export function curvesOf({ asTrained, ...result }: ComparedBarrierResult): BarrierCurve[] {
  const label = result.alignment === undefined && asTrained === undefined ? "as trained" : "aligned";
  return [...(asTrained ? [{ label: "as trained", result: asTrained }] : []), { label, result }];
}
