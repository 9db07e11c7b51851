import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@isthmus/core";

/** The folder of the studies that come with this program. */
const SHIPPED = fileURLToPath(new URL("../../studies", import.meta.url));
const ENDING = /\.ya?ml$/;

/** The file that describes a study, and the folder for its results. */
export interface StudyFile {
  readonly path: string;
  /**
   * Folder for the results if the user names none: beside the file, or in the working directory for a study
   * that comes with this program.
   */
  readonly folder: string;
}

/** Lists the names of the studies that come with this program. */
export async function listShippedStudies(): Promise<readonly string[]> {
  return (await readdir(SHIPPED)).filter((name) => ENDING.test(name)).map((name) => name.replace(ENDING, ""));
}

/**
 * Finds a study by the path of its file, or by name if it comes with this program.
 * @throws InputError if there is none
 */
export async function findStudy(name: string): Promise<StudyFile> {
  const stats = await stat(name).catch(() => undefined);
  // A device or a pipe is refused when it is opened, with a better message than that there is no file.
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
