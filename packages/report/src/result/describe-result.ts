import type { BarrierResult, LayersResult, PlaneResult } from "@isthmus/barrier";
import type { CurveResult } from "@isthmus/curve";
import type { StarResult } from "@isthmus/star-domain";
import type { StudyResult } from "@isthmus/study";
import { assertDrawable, type BarrierCurve } from "../barrier-curve.ts";
import { describeBarriers } from "./describe-barriers.ts";
import { describeCurve } from "./describe-curve.ts";
import { describeLayers } from "./describe-layers.ts";
import { describePlane } from "./describe-plane.ts";
import { describeStar } from "./describe-star.ts";
import { describeStudy } from "./describe-study.ts";
import type { Report } from "./report.ts";

/** A barrier as the verb prints it: with that of the networks as trained, if it aligned them first. */
export interface ComparedBarrierResult extends BarrierResult {
  readonly asTrained?: BarrierResult;
  readonly alignment?: object;
}

/** Any result that can be drawn. */
export type DrawableResult =
  | ComparedBarrierResult
  | LayersResult
  | PlaneResult
  | CurveResult
  | StarResult
  | StudyResult;

/** Says what a result of any kind shows. */
export function describeResult(result: DrawableResult): Report {
  switch (result.kind) {
    case "barrier": {
      const curves = curvesOf(result);
      assertDrawable(curves);
      return describeBarriers(curves);
    }
    case "layers":
      return describeLayers(result);
    case "plane":
      return describePlane(result);
    case "curve":
      return describeCurve(result);
    case "star":
      return describeStar(result);
    case "study":
      return describeStudy(result);
  }
}

/** Curves of a barrier, before and after alignment if it has both. */
export function curvesOf({ asTrained, ...result }: ComparedBarrierResult): BarrierCurve[] {
  const label = result.alignment === undefined && asTrained === undefined ? "as trained" : "aligned";
  return [...(asTrained ? [{ label: "as trained", result: asTrained }] : []), { label, result }];
}
