import { readdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isProcessAlive } from "./is-process-alive.ts";

/** The path that a file has while this process writes it; `attempt` tells apart those of several writers. */
export function temporaryName(path: string, attempt: number): string {
  return join(dirname(path), `${prefixOf(path)}${process.pid}-${attempt}.tmp`);
}

/** What is left of a temporary name after its prefix: the process and the attempt. */
const SUFFIX = /^(\d+)-\d+\.tmp$/;

/**
 * Removes what processes that were killed while they wrote `path` have left beside it. Files of running processes and of other
 * outputs stay; what cannot be removed stays, too, since it is in nobody's way.
 */
export async function removeStaleTemporaries(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = prefixOf(path);
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid] = (name.startsWith(prefix) && SUFFIX.exec(name.slice(prefix.length))) || [];
    if (pid === undefined || isProcessAlive(Number(pid))) continue;
    await unlink(join(folder, name)).catch(() => {});
  }
}

function prefixOf(path: string): string {
  return `.${basename(path)}.`;
}
