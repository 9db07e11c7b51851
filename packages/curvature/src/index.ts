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
export { type EstimateTraceOptions, estimateTrace, type TraceEstimate } from "./estimate-trace.ts";
export type { HessianPoint, HessianPointOptions } from "./hessian-point.ts";
export { type InvertOuterProductsOptions, invertOuterProducts } from "./invert-outer-products.ts";
export type { Sharing } from "./kronecker/factor-graphs.ts";
export {
  ekfac,
  type KroneckerOperator,
  type KroneckerOptions,
  kfac,
} from "./kronecker/kronecker-operator.ts";
export type { Fisher } from "./kronecker/output-columns.ts";
export { planeOf } from "./landscape/describe/landscape-planes.ts";
export { LANDSCAPE } from "./landscape/landscape.ts";
export {
  LANDSCAPE_KINDS,
  type LandscapeChoice,
  type LandscapeKind,
  type LandscapeNetworks,
  type LandscapeProgress,
  type MeasureLandscapeOptions,
  type Normalization,
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
export type { GridNeighbors } from "./landscape/topology/grid-neighbors.ts";
export { type GridTopology, gridTopology, topologyOf } from "./landscape/topology/grid-topology.ts";
export { type MergeTreeOptions, mergeTree } from "./landscape/topology/merge-tree.ts";
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
export type {
  ClosedForm,
  LinearOperator,
  OperatorTensor,
  ProductOptions,
  ProductProgress,
} from "./linear-operator.ts";
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
  type LossSurface,
  type LossSurfaceOptions,
  type NetworkSurface,
  openLossSurface,
} from "./operators/loss-surface.ts";
export {
  CURVATURE_KINDS,
  type CurvatureKind,
  type CurvatureOperator,
  type CurvatureOperatorOptions,
  type HessianDerivatives,
  type HessianOptions,
} from "./operators/operator-options.ts";
export { type SampledGaussNewtonOptions, sampledGaussNewton } from "./operators/sampled-gauss-newton.ts";
export { type OperatorBlock, restrictOperator } from "./restrict-operator.ts";
export type { ComputedEigenvalue, Eigenpair, SpectrumEnd } from "./ritz-pairs.ts";
export { type SolveOptions, type SolveResult, solve } from "./solve.ts";
export {
  type SpectralDensity,
  type SpectralDensityOptions,
  smoothNodes,
  spectralDensity,
} from "./spectral-density.ts";
export { type TopEigenpairsOptions, type TopEigenpairsResult, topEigenpairs } from "./top-eigenpairs.ts";
export {
  type CurvatureHistory,
  type CurvaturePoint,
  type CurvatureTracker,
  TRACK_CURVATURE_DEFAULTS,
  type TrackCurvatureOptions,
  type TrainingUnit,
  trackCurvature,
} from "./track-curvature.ts";
