import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError, matchesGlob } from "@isthmus/core";

/**
 * Replaces names with `*` or `?` by the files of their folder that fit, in the order of their names with numbers in them as numbers; for
 * shells that do not, and for names in quotes. Other names stay as they are.
 * @throws InputError if a pattern fits nothing
 */
export async function expandPaths(paths: readonly string[]): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) expanded.push(...(/[*?]/.test(basename(path)) ? await findFiles(path) : [path]));
  return expanded;
}

async function findFiles(pattern: string): Promise<string[]> {
  const folder = dirname(pattern);
  const names = await readdir(folder).catch(() => []);
  const fitting = names
    .filter((name) => matchesGlob(basename(pattern), name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (fitting.length > 0) return fitting.map((name) => join(folder, name));
  throw new InputError(
    `Cannot open "${pattern}" as it must fit at least one file: none of "${folder}" does`,
    {
      input: pattern,
    },
  );
}
