export { createSubspace, type SubspaceOptions, type SubspaceScope } from "./create-subspace.ts";
export { INTRINSIC_DIMENSION } from "./intrinsic-dimension.ts";
export type { IntrinsicDimensionChoice } from "./intrinsic-dimension-options.ts";
export type {
  IntrinsicDimensionResult,
  SeedAccuracy,
  SeedCrossing,
  SubspaceAccuracy,
  UntrainedAccuracy,
} from "./intrinsic-dimension-result.ts";
export { measureIntrinsicDimension, type TrainedAndEvaluated } from "./measure-intrinsic-dimension.ts";
export type {
  DimensionSearchChoice,
  IntrinsicDimensionProgress,
  MeasureIntrinsicDimensionOptions,
} from "./measure-options.ts";
export { createProjection } from "./projection/create-projection.ts";
export {
  PROJECTION_KINDS,
  type Projection,
  type ProjectionKind,
  type ProjectionShape,
} from "./projection/projection.ts";
export { SUBSPACE_LEARNING_RATE } from "./resolve-measure-options.ts";
export type { DimensionInterval } from "./search/log-interval.ts";
export { type TrainInSubspaceOptions, trainInSubspace } from "./train-in-subspace.ts";
