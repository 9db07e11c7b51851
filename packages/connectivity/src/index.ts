export { CURVE } from "./curve/curve-measurement.ts";
export type { CurveChoice, CurveShape } from "./curve/curve-options.ts";
export type { CurveResult } from "./curve/curve-result.ts";
export { measureCurve } from "./curve/measure-curve.ts";
export { type TrainCurveOptions, type TrainedCurve, trainCurve } from "./curve/train-curve.ts";
export { buildDropoutPath, type DropoutPath, type PathSegment } from "./dropout-path/build-dropout-path.ts";
export { DROPOUT_PATH } from "./dropout-path/dropout-path.ts";
export type {
  BuildDropoutPathOptions,
  BuildProgress,
  DropoutPathChoice,
} from "./dropout-path/dropout-path-options.ts";
export {
  type DropoutPathProgress,
  type DropoutPathResult,
  type MeasureDropoutPathOptions,
  measureDropoutPath,
  type NamedPath,
} from "./dropout-path/measure-dropout-path.ts";
export type { LayerRemainder, UnitChoice } from "./dropout-stability/choose-units.ts";
export { dropUnits } from "./dropout-stability/drop-units.ts";
export type { DropoutChoice, DropoutProgress } from "./dropout-stability/dropout-options.ts";
export type {
  DropoutShare,
  DropoutStabilityResult,
  DropoutTrial,
  DroppedLayers,
} from "./dropout-stability/dropout-result.ts";
export { DROPOUT_STABILITY } from "./dropout-stability/dropout-stability.ts";
export type { Rescaling } from "./dropout-stability/fit-factor.ts";
export {
  type DropoutStabilityChoice,
  type MeasureDropoutStabilityOptions,
  measureDropoutStability,
} from "./dropout-stability/measure-dropout-stability.ts";
export {
  type MeasureMechanismsOptions,
  type MechanismsChoice,
  type MechanismsProgress,
  measureMechanisms,
} from "./mechanisms/measure-mechanisms.ts";
export { MECHANISMS } from "./mechanisms/mechanisms.ts";
export type { MechanismSet, MechanismsResult } from "./mechanisms/mechanisms-result.ts";
export {
  type MeasurePathChoice,
  type MeasurePathOptions,
  measurePath,
  type PathProgress,
} from "./path/measure-path.ts";
export type { MeasuredPath, NamedMeasuredPath, PathSummary } from "./path/path-result.ts";
export { CONNECTIVITY_TUNING } from "./tune/connectivity-tuning.ts";
export { frozenBelowLastLayer } from "./tune/last-layer.ts";
export { type TuningData, tuneByConnectivity } from "./tune/tune-by-connectivity.ts";
export {
  CONNECTIVITY_FIELDS,
  type ConnectivityRules,
  type TuneByConnectivityOptions,
  type TuneProgress,
} from "./tune/tune-options.ts";
export type { TunedByConnectivity, TunedEpoch } from "./tune/tune-result.ts";
export {
  type MeasureWalkedPathOptions,
  measureWalkedPath,
  type WalkData,
} from "./walked-path/measure-walked-path.ts";
export type { WalkPlace } from "./walked-path/plan-walk.ts";
export { walkLayers } from "./walked-path/walk-layers.ts";
export type { WalkChoice, WalkedPoint, WalkLayersOptions, WalkProgress } from "./walked-path/walk-options.ts";
export { WALKED_PATH } from "./walked-path/walked-path.ts";
export type { WalkedPathChoice, WalkedPathProgress } from "./walked-path/walked-path-options.ts";
export type { WalkedPathResult, WalkedSegment } from "./walked-path/walked-path-result.ts";
