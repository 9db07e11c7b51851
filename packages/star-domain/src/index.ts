export {
  MEASURE_STAR_FIELDS,
  type MeasureStarChoice,
  type MeasureStarOptions,
  type MeasureStarProgress,
  measureStar,
  type StarNetworks,
} from "./measure-star.ts";
export {
  COMPARE_PREDICTORS_FIELDS,
  type ComparePredictorsChoice,
  type ComparePredictorsOptions,
  comparePredictors,
  type PredictorComparison,
} from "./predictions/compare-predictors.ts";
export type { EnsembleChoice } from "./predictions/ensemble.ts";
export { ENSEMBLE } from "./predictions/ensemble.ts";
export { networksOnRays, type RayNetworksOptions } from "./predictions/networks-on-rays.ts";
export type { TriedStart } from "./search/choose-start.ts";
export { type FindStarResult, type FoundStar, findStar } from "./search/find-star.ts";
export {
  FIND_STAR_DEFAULTS,
  type FindStarOptions,
  type FindStarProgress,
  STAR_SEARCH_FIELDS,
  type StarSearchChoice,
} from "./search/find-star-options.ts";
export type { RayDistribution } from "./search/ray.ts";
export type { StarArchitecture } from "./search/star-search.ts";
export { PAIR_GROUPS, type PairBarrier, type PairGroup, type StarResult } from "./star-result.ts";
export { STAR_RESULT } from "./star-result-kind.ts";
