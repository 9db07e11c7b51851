export { measureSimilarity } from "./measure-similarity.ts";
export { type CkaStream, type CkaStreamOptions, createCkaStream } from "./measures/cka-stream.ts";
export {
  type CompareRepresentationsOptions,
  compareRepresentations,
} from "./measures/compare-representations.ts";
export type { HsicEstimator } from "./measures/hsic.ts";
export type { Similarities, SimilarityNumber } from "./measures/measure.ts";
export { SIMILARITY } from "./similarity.ts";
export {
  type CkaEstimator,
  type MeasureSimilarityOptions,
  SIMILARITY_MEASURES,
  type SimilarityChoice,
  type SimilarityMeasure,
  type SimilarityProgress,
} from "./similarity-options.ts";
export type { ComparedLayer, SimilarityResult, SimilarityTable } from "./similarity-result.ts";
export { type LayerValue, layerValues } from "./values/layer-values.ts";
export type { ComparedNetwork } from "./values/plan-layers.ts";
export type { Positions } from "./values/value-layout.ts";
