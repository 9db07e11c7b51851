import { basename } from "node:path";
import type { ResultKind } from "@isthmus/findings";
import { describeIntrinsicDimension } from "./describe/describe-intrinsic-dimension.ts";
import type { IntrinsicDimensionResult } from "./intrinsic-dimension-result.ts";

/** Results of `isthmus intrinsic-dimension`: how few numbers a training needs. */
export const INTRINSIC_DIMENSION_RESULT: ResultKind<IntrinsicDimensionResult> = {
  kind: "intrinsic-dimension",
  form: async () => (await import("./intrinsic-dimension-form.ts")).INTRINSIC_DIMENSION_FORM,
  describe: describeIntrinsicDimension,
  titleOf: ({ network }) => `Intrinsic dimension of ${basename(network)}`,
};
