import { mapResult } from "../../barrier/test/map-result.ts";
import { comparisonResult } from "../../recipe/test/comparison-result.ts";
import type { DrawableResult } from "../src/result/drawable-result.ts";
import { curvatureHistory, curvatureResult } from "./curvature-result.ts";
import { dropoutPathResult, dropoutStabilityResult, walkedPathResult } from "./dropout-results.ts";
import { attackResult, ensembleResult, paretoResult } from "./ensemble-results.ts";
import { intrinsicDimensionResult } from "./intrinsic-dimension-result.ts";
import { landscapeResult } from "./landscape-result.ts";
import { mechanismsResult } from "./mechanisms-result.ts";
import { pruneResult } from "./prune-result.ts";
import { curveResult, layersResult, planeResult, starResult, studyResult } from "./results.ts";
import { similarityResult } from "./similarity-result.ts";

/** One result of every kind that has one form, beside a barrier, whose form each test chooses itself. */
export const OTHER_RESULTS: readonly DrawableResult[] = [
  layersResult(),
  planeResult(),
  mapResult(),
  curveResult(),
  starResult(),
  studyResult(),
  comparisonResult(),
  curvatureResult(),
  ensembleResult(),
  attackResult(),
  paretoResult(),
  landscapeResult(),
  curvatureHistory(),
  dropoutStabilityResult(),
  dropoutPathResult(),
  walkedPathResult(),
  intrinsicDimensionResult(),
  pruneResult(),
  similarityResult(),
  mechanismsResult(),
];
