import { basename, dirname, isMarkAlive, join, processMark, readdir, unlink } from "@isthmus/platform";

/**
 * Returns the path of a file while this process writes it;
 * `attempt` makes the paths of several writers differ.
 */
export function temporaryName(path: string, attempt: number): string {
  return join(dirname(path), `.${basename(path)}.${processMark()}-${attempt}.tmp`);
}

/**
 * Pattern of hidden names that end in the mark of a process and the attempt; earlier versions omitted the
 * start of the process.
 */
const TEMPORARY = /^\.(.+)\.(\d+)-(?:(\d+)-)?\d+\.tmp$/;

/**
 * Removes the temporary files of processes that were killed while they wrote to a folder. Files of running
 * processes and of other outputs stay; files that cannot be removed are ignored, since they do no harm.
 * @param isOutput - checks whether a final name belongs to the output that is about to be written
 */
export async function removeStaleTemporaries(
  folder: string,
  isOutput: (name: string) => boolean,
): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, output, pid, start = "0"] = TEMPORARY.exec(name) ?? [];
    if (output === undefined || !isOutput(output) || (await isMarkAlive(`${pid}-${start}`))) continue;
    await unlink(join(folder, name)).catch(() => {});
  }
}
