export {
  createSubspace,
  SUBSPACE_SCOPES,
  type SubspaceOptions,
  type SubspaceScope,
} from "./create-subspace.ts";
export { meansByDimension } from "./describe/means-by-dimension.ts";
export { wordsOfUntrained } from "./describe/words-of-untrained.ts";
export { INTRINSIC_DIMENSION } from "./intrinsic-dimension.ts";
export { INTRINSIC_DIMENSION_FIELDS, type IntrinsicDimensionChoice } from "./intrinsic-dimension-options.ts";
export type {
  IntrinsicDimensionResult,
  SeedAccuracy,
  SeedCrossing,
  SubspaceAccuracy,
  UntrainedAccuracy,
} from "./intrinsic-dimension-result.ts";
export { measureIntrinsicDimension, type TrainedAndEvaluated } from "./measure-intrinsic-dimension.ts";
export {
  DIMENSION_SEARCH_FIELDS,
  type DimensionSearchChoice,
  type IntrinsicDimensionProgress,
  type MeasureIntrinsicDimensionOptions,
} from "./measure-options.ts";
export { createProjection } from "./projection/create-projection.ts";
export {
  PROJECTION_KINDS,
  type Projection,
  type ProjectionKind,
  type ProjectionShape,
} from "./projection/projection.ts";
export {
  MEASURE_INTRINSIC_DIMENSION_DEFAULTS,
  SUBSPACE_LEARNING_RATE,
} from "./resolve-measure-options.ts";
export { fitRising } from "./search/isotonic.ts";
export type { DimensionInterval } from "./search/log-interval.ts";
export { type TrainInSubspaceOptions, trainInSubspace } from "./train-in-subspace.ts";
