import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Checkpoint, createCheckpoint, saveCheckpoint } from "@isthmus/core";

/** Gives the path of a file of the repository. */
export function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Reads a file of the repository, by its path from the root. */
export function fixture(path: string): Buffer {
  return readFileSync(pathOf(path));
}

/** Makes a checkpoint of a few small tensors of several types. */
export function smallCheckpoint(): Checkpoint {
  return createCheckpoint(
    {
      "layers.0.weight": { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      "layers.0.bias": { dtype: "bf16", shape: [2], data: Uint16Array.of(0x3f80, 0x4000) },
      steps: { dtype: "i64", shape: [], data: BigInt64Array.of(7n) },
      mask: { dtype: "bool", shape: [4], data: Uint8Array.of(0, 1, 1, 0) },
    },
    { format: "pt", note: "small" },
  );
}

/** Saves a checkpoint, and gives the files that this made, by name. */
export async function savedFiles(
  checkpoint: Checkpoint,
  maxShardBytes?: number,
): Promise<Record<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), "isthmus-fuzz-seed-"));
  try {
    await saveCheckpoint(checkpoint, folder, maxShardBytes === undefined ? {} : { maxShardBytes });
    const names = (await readdir(folder)).sort();
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))])),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}
