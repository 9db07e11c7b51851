import { join } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { openFileSource } from "../../io/file-source.ts";
import { MAX_SHARDS } from "../../io/limits.ts";
import { formatErrors } from "../format-errors.ts";

/** Files of a folder that are opened together. */
export interface SourceList {
  /** Name of the format, for errors. */
  readonly format: string;
  /** Path of the folder. */
  readonly folder: string;
  /** Plain names of files in the folder. */
  readonly names: readonly string[];
}

/**
 * Opens files of a folder, and calls a function that makes a checkpoint of them, which closes them. If that
 * fails, they are closed here.
 * @throws InputError if a file is missing, or leads out of the folder
 * @throws FormatError if there are more files than may be open
 */
export async function openTogether(
  { format, folder, names }: SourceList,
  make: (sources: ReadonlyMap<string, ByteSource>) => Checkpoint | Promise<Checkpoint>,
): Promise<Checkpoint> {
  if (names.length > MAX_SHARDS)
    throw formatErrors(format)(folder, `there may be ${MAX_SHARDS} files: there are ${names.length}`);
  const sources = new Map<string, ByteSource>();
  try {
    for (const name of names) sources.set(name, await openFileSource(join(folder, name), folder));
    return await make(sources);
  } catch (error) {
    for (const source of sources.values()) await source.close();
    throw error;
  }
}
