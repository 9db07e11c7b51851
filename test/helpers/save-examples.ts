import { createCheckpoint, saveCheckpoint } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/** Saves all examples of a data set as the tensors `x` and `y` of a file that `--data safetensors:` names. */
export async function saveExamples(data: DataSet, path: string): Promise<void> {
  const { inputs, labels } = data.read(0, data.size);
  const y = { dtype: "i32", shape: [data.size], data: labels } as const;
  const tensors = new Map([
    ["x", inputs],
    ["y", y],
  ]);
  await saveCheckpoint(createCheckpoint(tensors, {}, "examples"), path);
}
