export {
  CURVE_KINDS,
  type CurveKind,
  type CurveResult,
  type MeasuredPath,
  type PathSummary,
} from "./curve-result.ts";
