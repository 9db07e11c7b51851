import { describeCurvature, describeCurvatureHistory } from "@isthmus/curvature";
import { describeCurve } from "@isthmus/curve";
import { describeAttack, describeEnsemble, describePareto } from "@isthmus/ensemble";
import type { Report } from "@isthmus/findings";
import { describeLandscape, describePlane } from "@isthmus/landscape";
import { type BuiltInMeasurement, loadMeasurement } from "@isthmus/measurements";
import { describeMechanisms } from "@isthmus/mechanisms";
import { describeDropoutPath, describeWalkedPath } from "@isthmus/paths";
import { describePruning } from "@isthmus/sparsity";
import { describeStar } from "@isthmus/star-domain";
import { describeIntrinsicDimension } from "@isthmus/subspace";
import { assertDrawable, type BarrierCurve } from "../barrier-curve.ts";
import { describeComparison } from "./comparison/describe-comparison.ts";
import { describeBarriers } from "./describe-barriers.ts";
import { describeLayers } from "./describe-layers.ts";
import { describeStudy } from "./describe-study.ts";
import { curvesOf, type Drawable, type DrawableResult, isNamedBarriers } from "./drawable-result.ts";
import { describeMap } from "./map/describe-map.ts";
import { describeSimulation } from "./simulation/describe-simulation.ts";

/** Says what a result of any kind shows, or several barriers beside each other. */
export async function describeResult(result: Drawable): Promise<Report> {
  if (isNamedBarriers(result)) return describeDrawable(result);
  const measurement = await loadMeasurement(result.kind);
  return measurement?.describe?.(result) ?? describeWrittenOut(result as WrittenOut);
}

/** A result whose kind has no definition yet. */
export type WrittenOut = Exclude<DrawableResult, { readonly kind: BuiltInMeasurement["kind"] }>;

function describeWrittenOut(result: WrittenOut): Report {
  switch (result.kind) {
    case "barrier":
      return describeDrawable(curvesOf(result));
    case "layers":
      return describeLayers(result);
    case "plane":
      return describePlane(result);
    case "map":
      return describeMap(result);
    case "curve":
      return describeCurve(result);
    case "star":
      return describeStar(result);
    case "study":
      return describeStudy(result);
    case "simulation":
      return describeSimulation(result);
    case "comparison":
      return describeComparison(result);
    case "curvature":
      return describeCurvature(result);
    case "ensemble":
      return describeEnsemble(result);
    case "attack":
      return describeAttack(result);
    case "pareto":
      return describePareto(result);
    case "landscape":
      return describeLandscape(result);
    case "curvature-history":
      return describeCurvatureHistory(result);
    case "dropout-path":
      return describeDropoutPath(result);
    case "walked-path":
      return describeWalkedPath(result);
    case "intrinsic-dimension":
      return describeIntrinsicDimension(result);
    case "prune":
      return describePruning(result);
    case "mechanisms":
      return describeMechanisms(result);
  }
}

/** @throws UsageError if there is no curve, or one cannot be drawn */
function describeDrawable(curves: readonly BarrierCurve[]): Report {
  assertDrawable(curves);
  return describeBarriers(curves);
}
