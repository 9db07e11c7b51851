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
