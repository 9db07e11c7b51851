import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { type DataSetName, parseDataSetName } from "./parse-data-set-name.ts";

/** A path in the name of a data set, and the files that are read by it. */
export interface DataSetPath {
  /** As it is written in the name. */
  readonly path: string;
  readonly files: readonly string[];
}

/**
 * Lists the paths in the name of a data set with the files that are read by them; none for data sets that
 * come with a package.
 * @throws InputError if there is no such data set, or its files cannot be listed
 */
export async function listDataFiles(name: string): Promise<readonly DataSetPath[]> {
  const parsed = parseDataSetName(name);
  const paths: DataSetPath[] = [];
  for (const path of pathsOf(parsed)) paths.push({ path, files: await filesOf(parsed, path) });
  return paths;
}

/**
 * Returns the name of a data set with other paths in it.
 * @param move - returns the new path for one in the name
 * @throws InputError if there is no such data set
 */
export function moveDataFiles(name: string, move: (path: string) => string): string {
  const parsed = parseDataSetName(name);
  const begin = parsed.kind.length;
  let text = name.slice(begin);
  for (const path of pathsOf(parsed)) text = text.replace(path, () => move(path));
  return `${name.slice(0, begin)}${text}`;
}

function pathsOf(parsed: DataSetName): readonly string[] {
  if (parsed.kind === "idx") return [parsed.images, parsed.labels];
  if ("file" in parsed) return [parsed.file];
  return parsed.folder === undefined ? [] : [parsed.folder];
}

async function filesOf({ kind }: DataSetName, path: string): Promise<readonly string[]> {
  if (kind === "mnist" || kind === "fashion-mnist") {
    const names = await readdir(path);
    return names.filter((file) => file.includes("-ubyte")).map((file) => join(path, file));
  }
  if (kind !== "safetensors") return [path];
  await using checkpoint = await openCheckpoint(path);
  return checkpoint.files;
}
