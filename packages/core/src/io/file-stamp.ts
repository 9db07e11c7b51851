import { stat } from "node:fs/promises";

/**
 * Tells one state of a file under a name from another: it changes when the file is written to, and when
 * another one replaces it.
 * @returns undefined if there is nothing of that name
 */
export async function stampOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats && `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}
