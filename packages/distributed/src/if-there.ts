import { readdir } from "node:fs/promises";

/** Calls a function that needs a file or folder; returns `otherwise` if the file or folder does not exist. */
export async function ifThere<T>(act: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}

/** Lists the names in a folder; the list is empty if the folder does not exist. */
export function namesIn(folder: string): Promise<readonly string[]> {
  return ifThere<readonly string[]>(() => readdir(folder), []);
}

/** Returns whether an error, or its cause, says that a file or folder does not exist. */
export function isMissing(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || (cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}
