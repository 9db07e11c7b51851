import { InputError, reasonOf } from "@isthmus/core";
import { readdir } from "@isthmus/platform";

/**
 * Lists the names in the folder of a data set.
 * @param what - description of the required folder, for the message
 * @throws InputError if the folder does not exist or cannot be read
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
