export { CURVE_KINDS, type CurveKind } from "@isthmus/interpolation";
export type { CurveResult, MeasuredPath, PathSummary } from "./curve-result.ts";
