import { describeCurve } from "@isthmus/curve";
import type { Report } from "@isthmus/findings";
import { type BuiltInMeasurement, loadMeasurement } from "@isthmus/measurements";
import { describeMechanisms } from "@isthmus/mechanisms";
import { describeSimilarity } from "@isthmus/similarity";
import { assertDrawable, type BarrierCurve } from "../barrier-curve.ts";
import { describeComparison } from "./comparison/describe-comparison.ts";
import { describeAttack } from "./describe-attack.ts";
import { describeBarriers } from "./describe-barriers.ts";
import { describeCurvature } from "./describe-curvature.ts";
import { describeCurvatureHistory } from "./describe-curvature-history.ts";
import { describeEnsemble } from "./describe-ensemble.ts";
import { describeIntrinsicDimension } from "./describe-intrinsic-dimension.ts";
import { describeLayers } from "./describe-layers.ts";
import { describePareto } from "./describe-pareto.ts";
import { describePlane } from "./describe-plane.ts";
import { describePruning } from "./describe-pruning.ts";
import { describeStar } from "./describe-star.ts";
import { describeStudy } from "./describe-study.ts";
import { curvesOf, type Drawable, type DrawableResult, isNamedBarriers } from "./drawable-result.ts";
import { describeLandscape } from "./landscape/describe-landscape.ts";
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
    case "intrinsic-dimension":
      return describeIntrinsicDimension(result);
    case "prune":
      return describePruning(result);
    case "similarity":
      return describeSimilarity(result);
    case "mechanisms":
      return describeMechanisms(result);
  }
}

/** @throws UsageError if there is no curve, or one cannot be drawn */
function describeDrawable(curves: readonly BarrierCurve[]): Report {
  assertDrawable(curves);
  return describeBarriers(curves);
}
