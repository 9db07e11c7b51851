import { basename } from "node:path";
import type { ResultKind } from "@isthmus/findings";
import type { CurveResult } from "./curve-result.ts";
import { describeCurve } from "./describe/describe-curve.ts";

/** Results of `isthmus curve`: a curve of low loss between two networks, beside the straight line. */
export const CURVE_RESULT: ResultKind<CurveResult> = {
  kind: "curve",
  form: async () => (await import("./forms/curve-form.ts")).CURVE_FORM,
  describe: describeCurve,
  titleOf: ({ a, b }) => `From ${basename(a)} to ${basename(b)}`,
};
