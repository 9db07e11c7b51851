import { expect, test } from "vitest";
import { openTrainingData } from "./open-training-data.ts";

test.each([
  ["mnist:train@20+cue=place:0.9", "mnist:train@20+cue=place:0.9", "mnist:test+cue=place:0.9"],
  ["mnist+cue=grey", "mnist:train+cue=grey", "mnist:test+cue=grey"],
  ["mnist:test@20+cue=place", "mnist:test@20+cue=place", undefined],
  ["mnist:train@20", "mnist:train@20", "mnist:test"],
])("openTrainingData() of %s trains on %s and evaluates on %s", async (data, trained, evaluated) => {
  const opened = await openTrainingData({ data });
  expect([opened.data.name, opened.evaluationData?.name]).toEqual([trained, evaluated]);
});
