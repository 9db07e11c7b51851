import { basename, dirname, join, readdir, resolve } from "@isthmus/platform";
import { InputError } from "./errors.ts";
import { matchesGlob } from "./match-glob.ts";

/**
 * Replaces names with `*` or `?` by the matching files of their folder, for shells that do not and for names
 * in quotes. The files are in the order of their names, with numbers compared as numbers. Names without
 * wildcards are left unchanged.
 * @throws InputError if a pattern matches no file
 */
export async function expandPaths(paths: readonly string[]): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) expanded.push(...(/[*?]/.test(basename(path)) ? await findFiles(path) : [path]));
  return expanded;
}

async function findFiles(pattern: string): Promise<string[]> {
  const folder = dirname(pattern);
  const names = await readdir(folder).catch(() => []);
  const matches = names
    .filter((name) => matchesGlob(basename(pattern), name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (matches.length > 0) return matches.map((name) => join(folder, name));
  throw new InputError(
    `Cannot open "${pattern}" as it must match at least one file: no file in "${folder}" does`,
    {
      input: pattern,
    },
  );
}

/** Notes that a checkpoint is named twice, which is seldom meant. */
export function noteTwice(paths: readonly string[], onNote: (text: string) => void): void {
  const seen = new Set<string>();
  const twice = paths.find((path) => seen.size === seen.add(resolve(path)).size);
  if (twice !== undefined)
    onNote(`"${twice}" is named twice: a network combined with itself is the same network.`);
}
