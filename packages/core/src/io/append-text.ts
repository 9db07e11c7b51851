import { appendFile } from "@isthmus/platform";
import { writeError } from "./positional-file.ts";

/**
 * Appends text to a file, such as a line to a journal; a missing file is made.
 * @throws InputError if the file cannot be written, such as on a full disk
 */
export async function appendText(path: string, text: string): Promise<void> {
  await appendFile(path, text).catch((error: unknown) => {
    throw writeError(path, error);
  });
}
