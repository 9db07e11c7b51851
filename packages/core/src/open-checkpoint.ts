import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { openSafetensors } from "./formats/safetensors/open-safetensors.ts";
import { openFileSource } from "./io/file-source.ts";

/**
 * Opens a checkpoint: reads headers only, and tensors when asked.
 * @throws InputError if there is no such file.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const source = await openFileSource(path);
  try {
    return await openSafetensors(source, [path]);
  } catch (error) {
    await source.close();
    throw error;
  }
}
