export type { CurveResult, MeasuredPath, PathSummary } from "./curve-result.ts";
export { type EvaluatedCurve, measureCurve } from "./measure-curve.ts";
export {
  type EvaluatedPath,
  MEASURE_PATH_DEFAULTS,
  type MeasurePathOptions,
  measurePath,
  type PathProgress,
} from "./measure-path.ts";
export {
  type CurveTraining,
  TRAIN_CURVE_DEFAULTS,
  type TrainCurveOptions,
  type TrainedCurve,
  trainCurve,
} from "./train-curve.ts";
