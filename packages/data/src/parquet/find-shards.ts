import { InputError, reasonOf } from "@isthmus/core";
import { join, readdir, stat } from "@isthmus/platform";
import type { Split } from "../splits.ts";

/**
 * Files of a data set, in order, and the splits that the names of files show; empty if the files are one set.
 */
export interface ParquetShards {
  /** Paths of the files to read, in order. */
  readonly files: readonly string[];
  /** Splits that the names of files show; empty if the files are one set. */
  readonly splits: readonly Split[];
}

/** Patterns of the beginnings of names of files and folders, by their split. */
const BEGINNINGS: Readonly<Record<Split, RegExp>> = {
  train: /^train(ing)?(?![a-z])/i,
  test: /^test(ing)?(?![a-z])/i,
  val: /^val(id|idation)?(?![a-z])/i,
};
const ALL = Object.keys(BEGINNINGS) as Split[];

/**
 * Finds the Parquet files of a split: the file itself, which has no splits; or the files of a folder, of its
 * folder `data`, or of folders that are named after splits, by the beginnings of their names, as in
 * `train-00000-of-00002.parquet`. If no name shows a split, the files are one set.
 * @throws InputError if there are no such files
 */
export async function findShards(path: string, split: Split): Promise<ParquetShards> {
  const { files, splits } = await listShards(path);
  const chosen = files.filter((file) => splits.length === 0 || file.split === split).map((file) => file.path);
  if (chosen.length > 0) return { files: chosen, splits };
  const there =
    splits.length === 0 ? "no .parquet files" : `${splits.join(", ")}; add :${splits.join(" or :")}`;
  throw new InputError(
    `Cannot find the ${split} set in folder "${path}" as there must be Parquet files that begin with ${split}: it has ${there}`,
    { input: path },
  );
}

/**
 * Finds the splits that the names of files show; empty if the files are one set. @throws InputError as
 * findShards
 */
export async function findShardSplits(path: string): Promise<readonly Split[]> {
  return (await listShards(path)).splits;
}

async function listShards(
  path: string,
): Promise<{ readonly files: readonly ShardFile[]; readonly splits: readonly Split[] }> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false, // The reader of the file reports the error.
  );
  const files = isFolder ? await listFiles(path) : [{ path, split: undefined }];
  return { files, splits: ALL.filter((key) => files.some(({ split }) => split === key)) };
}

interface ShardFile {
  readonly path: string;
  readonly split: Split | undefined;
}

async function listFiles(folder: string): Promise<ShardFile[]> {
  const names = await list(folder);
  const files = shardsOf(folder, names, undefined);
  for (const name of names) {
    const split = splitOf(name);
    if (name.endsWith(".parquet") || (split === undefined && name !== "data")) continue;
    const inner = join(folder, name);
    const isFolder = (await stat(inner)).isDirectory();
    if (isFolder) files.push(...shardsOf(inner, await list(inner), split));
  }
  return files;
}

const splitOf = (name: string): Split | undefined => ALL.find((split) => BEGINNINGS[split].test(name));

function shardsOf(folder: string, names: readonly string[], split: Split | undefined): ShardFile[] {
  return names
    .filter((name) => name.toLowerCase().endsWith(".parquet"))
    .map((name) => ({ path: join(folder, name), split: split ?? splitOf(name) }));
}

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new InputError(`Cannot open folder "${folder}" of Parquet files as ${reasonOf(cause)}`, {
      input: folder,
      cause,
    });
  }
}
