import type { ResultKind } from "@isthmus/findings";
import { describeStar } from "./describe-star.ts";
import type { StarResult } from "./star-result.ts";

/** Results of `isthmus star`: how well a star network is connected to others, and how well it predicts. */
export const STAR_RESULT: ResultKind<StarResult> = {
  kind: "star",
  form: async () => (await import("./star-form.ts")).STAR_FORM,
  describe: describeStar,
  titleOf: ({ anchors }) => `A star of ${anchors.length} networks`,
};
