import { byteLengthOf, type Checkpoint, openCheckpoint } from "@isthmus/core";

/** Bytes above which tensors are not read: what a file may claim is checked when it is opened. */
const MOST = 64 * 2 ** 20;

/** Opens a checkpoint, reads all of its tensors, and closes it. */
export async function readTensors(path: string): Promise<void> {
  const checkpoint = await openCheckpoint(path);
  try {
    await readAll(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** Reads all tensors of a checkpoint, unless they are many. */
export async function readAll({ tensors, read }: Checkpoint): Promise<void> {
  const bytes = [...tensors.values()].reduce((sum, info) => sum + byteLengthOf(info), 0);
  if (bytes > MOST) return;
  for (const name of tensors.keys()) await read(name);
}
