import { assertDrawableCurves, type BarrierCurve, describeBarriers, describeMap } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { describeCurvatureHistory } from "@isthmus/curvature";
import { describePareto } from "@isthmus/ensemble";
import { inUnitOfLoss, type Report } from "@isthmus/findings";
import { type BuiltInMeasurement, loadMeasurement } from "@isthmus/measurements";
import { describePruning } from "@isthmus/sparsity";
import { describeStar } from "@isthmus/star-domain";
import { describeIntrinsicDimension } from "@isthmus/subspace";
import { describeComparison } from "./comparison/describe-comparison.ts";
import { describeStudy } from "./describe-study.ts";
import { curvesOf, type Drawable, type DrawableResult, isNamedBarriers } from "./drawable-result.ts";
import { describeSimulation } from "./simulation/describe-simulation.ts";

/** Says what a result of any kind shows, or several barriers beside each other. */
export async function describeResult(result: Drawable): Promise<Report> {
  if (isNamedBarriers(result)) {
    const report = describeDrawable(result);
    return inUnitOfLoss(report, at(result, 0, "curve").result);
  }
  const measurement = await loadMeasurement(result.kind);
  const report = measurement?.describe?.(result) ?? describeWrittenOut(result as WrittenOut);
  return inUnitOfLoss(report, result);
}

/** A result whose kind has no definition yet. */
export type WrittenOut = Exclude<DrawableResult, { readonly kind: BuiltInMeasurement["kind"] }>;

function describeWrittenOut(result: WrittenOut): Report {
  switch (result.kind) {
    case "barrier":
      return describeDrawable(curvesOf(result));
    case "map":
      return describeMap(result);
    case "star":
      return describeStar(result);
    case "study":
      return describeStudy(result);
    case "simulation":
      return describeSimulation(result);
    case "comparison":
      return describeComparison(result);
    case "pareto":
      return describePareto(result);
    case "curvature-history":
      return describeCurvatureHistory(result);
    case "intrinsic-dimension":
      return describeIntrinsicDimension(result);
    case "prune":
      return describePruning(result);
  }
}

/** @throws UsageError if there is no curve, or one cannot be drawn */
function describeDrawable(curves: readonly BarrierCurve[]): Report {
  assertDrawableCurves(curves);
  return describeBarriers(curves);
}
