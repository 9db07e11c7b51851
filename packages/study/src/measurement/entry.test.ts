import { TAKEN_OPTIONS } from "@isthmus/findings";
import { expect, it } from "vitest";
import { SELECTION_SHAPES } from "./entry.ts";

it("keys by which entries of studies select what is measured cannot be options of a measurement of one's own", () => {
  const keys = Object.values(SELECTION_SHAPES).flatMap((shape) => Object.keys(shape));
  // Measurements may say how many examples one engine call has.
  expect(keys.filter((key) => !TAKEN_OPTIONS.has(key) && key !== "batchSize")).toEqual([]);
});
