import type { ResultKind } from "@isthmus/findings";
import { describeCurvatureHistory } from "./describe/describe-curvature-history.ts";
import type { CurvatureHistory } from "./track-curvature.ts";

/** Results of `isthmus train --curvature`: how the loss curves around the network along its training. */
export const CURVATURE_HISTORY_RESULT: ResultKind<CurvatureHistory> = {
  kind: "curvature-history",
  form: async () => (await import("./forms/curvature-history-form.ts")).CURVATURE_HISTORY_FORM,
  describe: describeCurvatureHistory,
  titleOf: ({ data }) => `Curvature of the loss along a training on ${data}`,
};
