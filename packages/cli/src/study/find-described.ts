import { readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@isthmus/core";

/** Folders of the files that come with this program, by sort. */
const SHIPPED: Readonly<Record<DescribedSort, string>> = {
  study: fileURLToPath(new URL("../../studies", import.meta.url)),
  simulation: fileURLToPath(new URL("../../simulations", import.meta.url)),
};
const ENDING = /\.ya?ml$/;

/** Sort of work that a file describes. */
export type DescribedSort = "study" | "simulation";

/** The file that describes a study or a simulation, and the folder for its results. */
export interface DescribedFile {
  /** Path of the YAML file. */
  readonly path: string;
  /**
   * Folder for the results if the user names none: beside the file, or in the working directory for one that
   * comes with this program.
   */
  readonly folder: string;
}

/** Lists the names of the files of one sort that come with this program. */
export function listShipped(sort: DescribedSort): readonly string[] {
  const names = readdirSync(SHIPPED[sort]);
  return names.filter((name) => ENDING.test(name)).map((name) => name.replace(ENDING, ""));
}

/**
 * Finds a study or a simulation by the path of its file, or by name if it comes with this program.
 * @throws InputError if there is none
 */
export async function findDescribed(sort: DescribedSort, name: string): Promise<DescribedFile> {
  const stats = await stat(name).catch(() => undefined);
  // A device or a pipe is refused when it is opened, with a better message than that there is no file.
  if (stats !== undefined && !stats.isDirectory()) {
    const stem = basename(name).replace(ENDING, "");
    return { path: name, folder: join(dirname(name), stem === basename(name) ? `${stem}.results` : stem) };
  }
  const shipped = listShipped(sort);
  if (shipped.includes(name)) return { path: join(SHIPPED[sort], `${name}.yaml`), folder: name };
  throw new InputError(
    `Cannot read ${sort} "${name}" as it must be a file or one of ${shipped.join(", ")}: there is no such file`,
    { input: name },
  );
}
