import { FormatError, openFileSource } from "@isthmus/core";
import { MAX_DATA_BYTES } from "./limits.ts";

/**
 * Reads a whole file of a data set.
 * @throws InputError if the file does not exist or cannot be read
 * @throws FormatError if the file is too long
 */
export async function readDataFile(path: string): Promise<Uint8Array> {
  const source = await openFileSource(path);
  try {
    if (source.size > MAX_DATA_BYTES) {
      throw new FormatError(
        `Cannot read "${path}" as a file of a data set must have at most ${MAX_DATA_BYTES} bytes: it has ${source.size}`,
        { format: "data set" },
      );
    }
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}
