import type { ResultKind } from "@isthmus/findings";
import { describeStudy } from "./describe/describe-study.ts";
import type { StudyResult } from "./study-result.ts";

/** Results of `isthmus study`: the tables and figures that a study declares. */
export const STUDY_RESULT: ResultKind<StudyResult> = {
  kind: "study",
  form: async () => (await import("./schema/study-result-form.ts")).STUDY_RESULT_FORM,
  describe: describeStudy,
  titleOf: ({ title, only }) => (only === undefined ? title : `${title} (a part)`),
};
