export { describeSimilarity } from "./describe/describe-similarity.ts";
export { measureSimilarity } from "./measure-similarity.ts";
export { type CkaStream, type CkaStreamOptions, createCkaStream } from "./measures/cka-stream.ts";
export {
  type CompareRepresentationsOptions,
  compareRepresentations,
} from "./measures/compare-representations.ts";
export { HSIC_ESTIMATORS, type HsicEstimator } from "./measures/hsic.ts";
export { SIMILARITY_NUMBERS, type Similarities, type SimilarityNumber } from "./measures/measure.ts";
export {
  CKA_ESTIMATORS,
  type CkaEstimator,
  MEASURE_SIMILARITY_DEFAULTS,
  type MeasureSimilarityOptions,
  SIMILARITY_MEASURES,
  type SimilarityMeasure,
  type SimilarityProgress,
} from "./similarity-options.ts";
export type { ComparedLayer, SimilarityResult, SimilarityTable } from "./similarity-result.ts";
export { type LayerValue, layerValues } from "./values/layer-values.ts";
export type { ComparedNetwork } from "./values/plan-layers.ts";
export { POSITIONS, type Positions } from "./values/value-layout.ts";
