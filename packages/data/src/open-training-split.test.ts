import { createCheckpoint, createTensor, saveCheckpoint, type Tensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { openTrainingSplit } from "./open-training-split.ts";

const folder = temporaryFolder();

/** Writes arrays of some rows each; all rows of an array are its number. */
async function write(file: string, arrays: Record<string, readonly [rows: number, value: number]>) {
  const tensors = Object.entries(arrays).map(([name, [rows, value]]): [string, Tensor] => [
    name,
    name.startsWith("y")
      ? createTensor("i32", [rows], new Int32Array(rows).fill(value))
      : createTensor("f32", [rows, 2], new Float32Array(2 * rows).fill(value)),
  ]);
  const path = `${folder.path}/${file}.safetensors`;
  await saveCheckpoint(createCheckpoint(new Map(tensors)), path);
  return `safetensors:${path}`;
}

describe("openTrainingSplit()", () => {
  it("opens the examples that belong to a test set, at most as many as asked", async () => {
    const name = await write("both", { x_train: [5, 1], y_train: [5, 1], x_test: [4, 2], y_test: [4, 2] });
    const training = await openTrainingSplit(`${name}:test@2`, 3);
    expect(training).toMatchObject({ name: `${name}:train@3`, size: 3 });
    expect([...(training?.read(0, 1).inputs.data ?? [])]).toEqual([1, 1]);
    expect((await openTrainingSplit(name, 100))?.name).toBe(`${name}:train`);
  });

  it("finds none for training examples, and for files of one set", async () => {
    const one = await write("one", { x: [5, 1], y: [5, 1] });
    const test = await write("test", { x_test: [5, 1], y_test: [5, 1] });
    for (const name of [
      one,
      `${one}:test@2`,
      test,
      `${test}:train`,
      "mnist:train@10",
      "idx:a,b",
      "tokens:a",
    ]) {
      expect(await openTrainingSplit(name, 10)).toBeUndefined();
    }
  });
});
