import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@isthmus/core";

/** Studies that come with this program. */
const SHIPPED = fileURLToPath(new URL("../../studies", import.meta.url));
const ENDING = /\.ya?ml$/;

/** Where a study is described, and where its results go. */
export interface StudyFile {
  readonly path: string;
  /** Folder for the results where none is named: beside the file, of a shipped one in the working directory. */
  readonly folder: string;
}

/** Names of the studies that come with this program. */
export async function listShippedStudies(): Promise<readonly string[]> {
  return (await readdir(SHIPPED)).filter((name) => ENDING.test(name)).map((name) => name.replace(ENDING, ""));
}

/**
 * Finds a study by its file, or by name one that comes with this program.
 * @throws InputError if there is none
 */
export async function findStudy(name: string): Promise<StudyFile> {
  const stats = await stat(name).catch(() => undefined);
  // A device or a pipe is refused by whoever opens it, in better words than that there is none.
  if (stats !== undefined && !stats.isDirectory()) {
    const stem = basename(name).replace(ENDING, "");
    return { path: name, folder: join(dirname(name), stem === basename(name) ? `${stem}.results` : stem) };
  }
  const shipped = await listShippedStudies();
  if (shipped.includes(name)) return { path: join(SHIPPED, `${name}.yaml`), folder: name };
  throw new InputError(
    `Cannot read study "${name}" as it must be a file or one of ${shipped.join(", ")}: there is no such file`,
    { input: name },
  );
}
