import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
import { expect, onTestFinished, test } from "vitest";
import { nameTrainingSplit, openTrainingData } from "./open-training-data.ts";

test.each([
  ["mnist:train@20+cue=place:0.9", "mnist:train@20+cue=place:0.9", "mnist:test+cue=place:0.9"],
  ["mnist+cue=grey", "mnist:train+cue=grey", "mnist:test+cue=grey"],
  ["mnist:test@20+cue=place", "mnist:test@20+cue=place", undefined],
  ["mnist:train@20", "mnist:train@20", "mnist:test"],
])("openTrainingData() of %s trains on %s and evaluates on %s", async (data, trained, evaluated) => {
  const opened = await openTrainingData({ data });
  expect([opened.data.name, opened.evaluationData?.name]).toEqual([trained, evaluated]);
});

test.each([
  [["x_train", "x_test"], ":test"],
  [["x", "x_test"], ":test"],
  [["x_train", "x"], ":test"],
  [["x"], undefined],
  [["x_train"], undefined],
])("openTrainingData() of one file with %j evaluates on %s", async (inputs, evaluated) => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-training-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tensors = inputs.flatMap((name) => [
    [name, createTensor("f32", [2, 1], Float32Array.of(0, 1))] as const,
    [name.replace("x", "y"), createTensor("i32", [2], Int32Array.of(0, 1))] as const,
  ]);
  const file = join(folder, "both.safetensors");
  await saveCheckpoint(createCheckpoint(new Map(tensors)), file);
  const { data, evaluationData } = await openTrainingData({ data: `safetensors:${file}` });
  expect(data.name).toBe(`safetensors:${file}:train`);
  expect(evaluationData?.name).toBe(evaluated && `safetensors:${file}${evaluated}`);
});

test("openTrainingData() evaluates on the validation split of data without a test split", async () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-training-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // A grey picture of one pixel.
  const picture = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
    "base64",
  );
  for (const split of ["train", "val"]) {
    mkdirSync(join(folder, split, "a"), { recursive: true });
    writeFileSync(join(folder, split, "a", "x.png"), picture);
  }
  const { data, evaluationData } = await openTrainingData({
    data: `images:${folder},grey`,
    scaling: { mean: 0.5, std: 0.5 },
  });
  expect([data.name, evaluationData?.name]).toEqual([
    `images:${folder},grey:train`,
    `images:${folder},grey:val`,
  ]);
  expect(await nameTrainingSplit(`images:${folder}:val`)).toBe(`images:${folder}:train`);
  expect(await nameTrainingSplit("csv:x.csv")).toBeUndefined();
});
