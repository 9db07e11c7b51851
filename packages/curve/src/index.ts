export type { CurveResult, MeasuredPath, PathSummary } from "./curve-result.ts";
export { CURVE_RESULT } from "./curve-result-kind.ts";
export {
  assertPaths,
  type NamedPath,
  pathFigures,
  pathsTable,
  pathTile,
  placesTable,
} from "./describe/path-figures.ts";
export { measureCurve } from "./measure-curve.ts";
export {
  MEASURE_PATH_FIELDS,
  type MeasurePathChoice,
  type MeasurePathOptions,
  measurePath,
  type PathProgress,
  summarizePath,
} from "./measure-path.ts";
export {
  TRAIN_CURVE_DEFAULTS,
  type TrainCurveOptions,
  type TrainedCurve,
  trainCurve,
} from "./train-curve.ts";
