import { parseDataSetName } from "./parse-data-set-name.ts";

/** A path in the name of a data set, and the files that it stands for. */
export interface DataSetPath {
  /** Path in the spelling of the data set's name. */
  readonly path: string;
  /** Paths of the files that it stands for, in the order in which they are read. */
  readonly files: readonly string[];
}

/**
 * Lists the paths in the name of a data set with the files that they stand for; empty for data sets that come
 * with a package.
 * @throws InputError if there is no such data set, or its files cannot be listed
 */
export async function listDataFiles(name: string): Promise<readonly DataSetPath[]> {
  const parsed = parseDataSetName(name);
  const paths: DataSetPath[] = [];
  const { listFiles = async (path) => [path] } = parsed.kind;
  for (const path of parsed.paths) paths.push({ path, files: await listFiles(path, parsed) });
  return paths;
}

/**
 * Returns the name of a data set with its paths replaced.
 * @param move - maps a path in the name to its new path
 * @throws InputError if there is no such data set
 */
export function moveDataFiles(name: string, move: (path: string) => string): string {
  const { kind, paths } = parseDataSetName(name);
  const begin = kind.name.length;
  let text = name.slice(begin);
  for (const path of paths) text = text.replace(path, () => move(path));
  return `${name.slice(0, begin)}${text}`;
}
