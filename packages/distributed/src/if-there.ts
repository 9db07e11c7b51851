import { readdir } from "node:fs/promises";

/** Does something with a file or folder; returns `otherwise` if there is none. */
export async function ifThere<T>(act: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}

/** Lists the names in a folder; none if it is not there. */
export function namesIn(folder: string): Promise<readonly string[]> {
  return ifThere<readonly string[]>(() => readdir(folder), []);
}

/** Returns whether an error, or what caused it, says that a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || (cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}
