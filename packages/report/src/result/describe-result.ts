import {
  assertDrawableCurves,
  type BarrierCurve,
  describeBarriers,
  describeLayers,
  describeMap,
} from "@isthmus/barrier";
import { describeCurvature, describeCurvatureHistory } from "@isthmus/curvature";
import { describeCurve } from "@isthmus/curve";
import { describeAttack, describeEnsemble, describePareto } from "@isthmus/ensemble";
import type { Report } from "@isthmus/findings";
import { describeLandscape, describePlane } from "@isthmus/landscape";
import { describeMechanisms } from "@isthmus/mechanisms";
import { describeDropoutPath, describeDropoutStability, describeWalkedPath } from "@isthmus/paths";
import { describeSimilarity } from "@isthmus/similarity";
import { describePruning } from "@isthmus/sparsity";
import { describeStar } from "@isthmus/star-domain";
import { describeIntrinsicDimension } from "@isthmus/subspace";
import { describeComparison } from "./comparison/describe-comparison.ts";
import { describeStudy } from "./describe-study.ts";
import { curvesOf, type Drawable, isNamedBarriers } from "./drawable-result.ts";
import { describeSimulation } from "./simulation/describe-simulation.ts";

/** Says what a result of any kind shows, or several barriers beside each other. */
export function describeResult(result: Drawable): Report {
  if (isNamedBarriers(result)) return describeDrawable(result);
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
    case "dropout-stability":
      return describeDropoutStability(result);
    case "dropout-path":
      return describeDropoutPath(result);
    case "walked-path":
      return describeWalkedPath(result);
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
  assertDrawableCurves(curves);
  return describeBarriers(curves);
}
