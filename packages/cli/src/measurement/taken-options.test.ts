import { defineMeasurement } from "@isthmus/findings";
import { describe, expect, it } from "vitest";
import { TAKEN_OPTIONS } from "../../../findings/src/measurement/assert-own-fields.ts";
import { OWN_SUBJECTS } from "../../../findings/src/measurement/own-result.ts";
import { createVerb } from "../verb.ts";
import { SUBJECT_FORMS } from "./subject-forms.ts";

/** Names that measurements may have for options of their own, although commands of pairs have them, too. */
const SHARED = ["seed"];

describe("options of measurements of one's own", () => {
  it("cannot have the name of an option that commands of measurements have by their subject", async () => {
    for (const subject of OWN_SUBJECTS) {
      const command = createVerb("own");
      const words = { verb: "own", kind: "own", summary: "Measure something" };
      const { load } = defineMeasurement({ ...words, subject, run: async () => ({}) });
      SUBJECT_FORMS[subject].addOptions(command, await load());
      const names = command.options.map((option) => option.attributeName());
      expect(names.filter((name) => !TAKEN_OPTIONS.has(name) && !SHARED.includes(name))).toEqual([]);
    }
  });
});
