import { expect, it } from "vitest";
import { TAKEN_OPTIONS } from "../../../findings/src/measurement/assert-own-fields.ts";
import { OWN_SUBJECTS } from "../../../findings/src/measurement/own-result.ts";
import { SUBJECT_FORMS } from "./subject-forms.ts";

it("keys by which entries of studies select what is measured cannot be options of a measurement of one's own", () => {
  const keys = OWN_SUBJECTS.flatMap((subject) => Object.keys(SUBJECT_FORMS[subject].selection));
  // Measurements may say how many examples one engine call has.
  expect(keys.filter((key) => !TAKEN_OPTIONS.has(key) && key !== "batchSize")).toEqual([]);
});
