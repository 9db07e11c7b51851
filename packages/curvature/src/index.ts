export {
  type CriticalSharpnessChoice,
  type CriticalSharpnessOptions,
  type CriticalSharpnessResult,
  criticalSharpness,
} from "./critical-sharpness.ts";
export { CURVATURE } from "./curvature.ts";
export { CURVATURE_HISTORY_RESULT } from "./curvature-history-kind.ts";
export type {
  CurvatureChoice,
  CurvatureProgress,
  CurvatureStage,
  MeasureCurvatureOptions,
} from "./curvature-options.ts";
export type { CurvatureMeasures, CurvatureResult, LayerCurvature } from "./curvature-result.ts";
export {
  ESTIMATE_TRACE_DEFAULTS,
  type EstimateTraceOptions,
  estimateTrace,
  type TraceEstimate,
} from "./estimate-trace.ts";
export type { HessianPoint, HessianPointOptions } from "./hessian-point.ts";
export {
  INVERT_OUTER_PRODUCTS_DEFAULTS,
  type InvertOuterProductsOptions,
  invertOuterProducts,
} from "./invert-outer-products.ts";
export { describeLandscape } from "./landscape/describe/describe-landscape.ts";
export { describePlane } from "./landscape/describe/describe-plane.ts";
export { planeOf } from "./landscape/describe/landscape-planes.ts";
export { minimaWords } from "./landscape/describe/minima-words.ts";
export { LANDSCAPE } from "./landscape/landscape.ts";
export {
  LANDSCAPE_FIELDS,
  LANDSCAPE_KINDS,
  type LandscapeChoice,
  type LandscapeKind,
  type LandscapeNetworks,
  type LandscapeProgress,
  type MeasureLandscapeOptions,
  NORMALIZATIONS,
  type Normalization,
  VECTOR_POLICIES,
  type VectorPolicy,
} from "./landscape/landscape-options.ts";
export type {
  InterpolationShape,
  LandscapeDirection,
  LandscapeNetwork,
  LandscapeResult,
} from "./landscape/landscape-result.ts";
export { measureLandscape } from "./landscape/measure-landscape.ts";
export { PLANE } from "./landscape/plane.ts";
export {
  GRID_NEIGHBORS,
  type GridNeighbors,
  isOnEdge,
  placeOf,
} from "./landscape/topology/grid-neighbors.ts";
export { type GridTopology, gridTopology, topologyOf } from "./landscape/topology/grid-topology.ts";
export { MERGE_TREE_DEFAULTS, type MergeTreeOptions, mergeTree } from "./landscape/topology/merge-tree.ts";
export type { MergeTree, TreeMinimum, TreeSaddle } from "./landscape/topology/merge-tree-result.ts";
export {
  type SaddleMinimumDistance,
  saddleMinimumDistance,
} from "./landscape/topology/saddle-minimum-distance.ts";
export {
  type LearningCoefficientChoice,
  type LearningCoefficientOptions,
  type LearningCoefficientResult,
  learningCoefficient,
} from "./learning-coefficient.ts";
export type { LinearOperator, OperatorTensor, ProductOptions, ProductProgress } from "./linear-operator.ts";
export { measureCurvature } from "./measure-curvature.ts";
export {
  type MeasureSettlingOptions,
  measureSettling,
  type SettlingChoice,
  type SettlingPoint,
  type SettlingResult,
} from "./measure-settling.ts";
export {
  type MeasureSharpnessOptions,
  measureSharpness,
  type SharpnessChoice,
  type SharpnessResult,
  type SharpnessValues,
} from "./measure-sharpness.ts";
export { empiricalFisher } from "./operators/empirical-fisher.ts";
export { gaussNewton } from "./operators/gauss-newton.ts";
export { hessian } from "./operators/hessian.ts";
export {
  LOSS_SURFACE_DEFAULTS,
  type LossSurface,
  type LossSurfaceOptions,
  type NetworkSurface,
  openLossSurface,
} from "./operators/loss-surface.ts";
export {
  CURVATURE_KINDS,
  CURVATURE_OPERATOR_DEFAULTS,
  type CurvatureKind,
  type CurvatureOperator,
  type CurvatureOperatorOptions,
  HESSIAN_DEFAULTS,
  HESSIAN_DERIVATIVES,
  type HessianDerivatives,
  type HessianOptions,
} from "./operators/operator-options.ts";
export {
  SAMPLED_GAUSS_NEWTON_DEFAULTS,
  type SampledGaussNewtonOptions,
  sampledGaussNewton,
} from "./operators/sampled-gauss-newton.ts";
export { type OperatorBlock, restrictOperator } from "./restrict-operator.ts";
export { type ComputedEigenvalue, type Eigenpair, SPECTRUM_ENDS, type SpectrumEnd } from "./ritz-pairs.ts";
export { SOLVE_DEFAULTS, type SolveOptions, type SolveResult, solve } from "./solve.ts";
export {
  SPECTRAL_DENSITY_DEFAULTS,
  type SpectralDensity,
  type SpectralDensityOptions,
  smoothNodes,
  spectralDensity,
} from "./spectral-density.ts";
export {
  TOP_EIGENPAIRS_DEFAULTS,
  type TopEigenpairsOptions,
  type TopEigenpairsResult,
  topEigenpairs,
} from "./top-eigenpairs.ts";
export {
  type CurvatureHistory,
  type CurvaturePoint,
  type CurvatureTracker,
  TRACK_CURVATURE_DEFAULTS,
  TRAINING_UNITS,
  type TrackCurvatureOptions,
  type TrainingUnit,
  trackCurvature,
} from "./track-curvature.ts";
