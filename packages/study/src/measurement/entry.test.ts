import { OWN_SUBJECTS, TAKEN_OPTIONS } from "@isthmus/findings";
import { expect, it } from "vitest";
import { SELECTION_SHAPES } from "./entry.ts";

it("keys by which entries of studies select what is measured cannot be options of a measurement of one's own", () => {
  const keys = OWN_SUBJECTS.flatMap((subject) => Object.keys(SELECTION_SHAPES[subject]));
  // Measurements may say how many examples one engine call has.
  expect(keys.filter((key) => !TAKEN_OPTIONS.has(key) && key !== "batchSize")).toEqual([]);
});
