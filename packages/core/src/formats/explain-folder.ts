import { join, readdir } from "@isthmus/platform";
import { FOLDER_FORMATS } from "./folder-formats.ts";
import { DCP_CHUNKS } from "./run-file-names.ts";

/** Most folders in a folder that are looked into. */
const MOST_FOLDERS = 64;

/**
 * Says what a folder without weights holds instead, for the end of a message: chunks of a distributed
 * checkpoint without their metadata, or folders that look like checkpoints, of which it names the last.
 * @param names - names of the files and folders in the folder
 * @returns an empty text if the folder holds neither
 */
export async function explainFolder(folder: string, names: readonly string[]): Promise<string> {
  const chunks = names.find((name) => DCP_CHUNKS.test(name));
  if (chunks !== undefined)
    return `, but parts of a distributed checkpoint, such as "${chunks}", without the file ".metadata" that lists them: it is written last, so the save was interrupted, or a copy left out hidden files`;
  const sorted = [...names].sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  for (const name of sorted.slice(0, MOST_FOLDERS)) {
    const inside = await readdir(join(folder, name)).catch(() => undefined);
    if (inside !== undefined && looksLikeCheckpoint(inside))
      return `, but folders with checkpoints: name one of them, such as "${join(folder, name)}"`;
  }
  return "";
}

function looksLikeCheckpoint(names: readonly string[]): boolean {
  return (
    names.some((name) => /\.(safetensors|bin|pt|pth|ckpt|gguf)$/.test(name)) ||
    FOLDER_FORMATS.some(({ matches }) => matches(names))
  );
}
