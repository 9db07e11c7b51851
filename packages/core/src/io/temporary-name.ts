import { readdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isMarkAlive, processMark } from "./process-mark.ts";

/** The path that a file has while this process writes it; `attempt` tells apart those of several writers. */
export function temporaryName(path: string, attempt: number): string {
  return join(dirname(path), `.${basename(path)}.${processMark()}-${attempt}.tmp`);
}

/**
 * A hidden name that ends in the mark of a process and the attempt; earlier ones had no start of the process.
 */
const TEMPORARY = /^\.(.+)\.(\d+)-(?:(\d+)-)?\d+\.tmp$/;

/**
 * Removes from a folder what processes that were killed while they wrote have left there. Files of running
 * processes and of other outputs stay; what cannot be removed stays, too, since it is in nobody's way.
 * @param isOutput - tells of the final name of a file whether it is one of the output in question
 */
export async function removeStaleTemporaries(
  folder: string,
  isOutput: (name: string) => boolean,
): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, output, pid, start = "0"] = TEMPORARY.exec(name) ?? [];
    if (output === undefined || !isOutput(output) || isMarkAlive(`${pid}-${start}`)) continue;
    await unlink(join(folder, name)).catch(() => {});
  }
}
