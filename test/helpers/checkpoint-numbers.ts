import type { Checkpoint } from "@isthmus/core";

/** Reads all elements of a checkpoint as numbers, by the names of its tensors. */
export async function checkpointNumbers(checkpoint: Checkpoint): Promise<Record<string, number[]>> {
  const entries = [...checkpoint.tensors.keys()].map(async (name) => {
    return [
      name,
      Array.from((await checkpoint.read(name)).data as ArrayLike<number | bigint>, Number),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
