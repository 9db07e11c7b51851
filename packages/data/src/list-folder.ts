import { readdir } from "node:fs/promises";
import { InputError, reasonOf } from "@isthmus/core";

/**
 * Lists the names in the folder of a data set.
 * @param what - what it must be, for the message
 * @throws InputError if there is no such folder or it cannot be read
 */
export async function listFolder(folder: string, what: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new InputError(
      `Cannot open folder "${folder}" as it must be ${what} (a split is called :test or :train): ${reasonOf(cause)}`,
      { input: folder, cause },
    );
  }
}
