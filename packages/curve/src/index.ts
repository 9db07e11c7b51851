export { CURVE } from "./curve-measurement.ts";
export { CURVE_FIELDS, CURVE_SHAPE_FIELDS, type CurveChoice, type CurveShape } from "./curve-options.ts";
export type { CurveResult, MeasuredPath, PathSummary } from "./curve-result.ts";
export {
  assertPaths,
  type NamedPath,
  pathFigures,
  pathsTable,
  pathTiles,
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
  type TrainCurveOptions,
  type TrainedCurve,
  trainCurve,
} from "./train-curve.ts";
