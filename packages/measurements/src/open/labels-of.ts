import { basename, extname } from "@isthmus/platform";

/** Returns the names of files without folders and endings, or whole paths if two of these names are equal. */
export function labelsOf(paths: readonly string[]): readonly string[] {
  const names = paths.map((path) => basename(path, extname(path)));
  return new Set(names).size === names.length ? names : paths;
}
