import { join, readdir, stat } from "@isthmus/platform";
import { type ByteSource, createBytesSource } from "../../io/byte-source.ts";
import { openFileSource } from "../../io/file-source.ts";
import { MAX_INDEX_BYTES, MAX_SHARDS } from "../../io/limits.ts";
import { readFileBytes } from "../../io/read-file.ts";
import { sliceSource } from "../../io/slice-source.ts";
import { excerpt } from "../../json/excerpt.ts";
import { OCDBT_MANIFEST } from "../run-file-names.ts";
import { ocdbtError } from "./ocdbt-cursor.ts";
import { readOcdbt } from "./read-ocdbt.ts";
import { ZARR_FILES } from "./zarr-array.ts";

/** Values by keys such as `params.kernel/0.0`: chunks of arrays, and their descriptions. */
export interface ValueStore {
  /** Finds a value; undefined if there is none. */
  readonly find: (key: string) => Promise<ByteSource | undefined>;
  /** Names of all arrays. */
  readonly arrays: readonly string[];
  /** Returns the paths of all files that values were found in. */
  files(): readonly string[];
  /** Closes all files. */
  close(): Promise<void>;
}

/**
 * Opens the database of OCDBT in a folder.
 * @throws InputError if a data file is missing, or leads out of the folder
 * @throws FormatError if it is damaged, or has more data files than may be open
 */
export async function openDatabase(folder: string): Promise<ValueStore> {
  const manifest = join(folder, OCDBT_MANIFEST);
  const sources = new Map<string, ByteSource>();
  const open = async (file: string): Promise<ByteSource> => {
    const earlier = sources.get(file);
    if (earlier !== undefined) return earlier;
    if (/[\\\0]/.test(file) || file.split("/").some((part) => /^\.{0,2}$/.test(part)))
      throw ocdbtError(manifest, `its data files must be in its folder: one is ${excerpt(file)}`);
    if (sources.size >= MAX_SHARDS)
      throw ocdbtError(folder, `there may be ${MAX_SHARDS} data files: there are more`);
    const source = await openFileSource(join(folder, file), folder);
    sources.set(file, source);
    return source;
  };
  const close = async (): Promise<void> => {
    for (const source of sources.values()) await source.close();
  };
  try {
    const values = await readOcdbt(await readFileBytes(manifest, MAX_INDEX_BYTES, folder), manifest, open);
    return {
      async find(key) {
        const value = values.get(key);
        const name = join(folder, key);
        if (value === undefined) return undefined;
        if (value instanceof Uint8Array) return createBytesSource(value, name);
        return sliceSource(await open(value.file), value.begin, value.length, name);
      },
      arrays: [...values.keys()].flatMap(arrayOf),
      files: () => [manifest, ...[...sources.values()].map(({ name }) => name)],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns the name of the array that a key describes; none for the key of a chunk. */
function arrayOf(key: string): string[] {
  const file = ZARR_FILES.find((one) => key.endsWith(`/${one}`));
  return file === undefined ? [] : [key.slice(0, -file.length - 1)];
}

/**
 * Opens a folder with a folder for each array. There may be many files, so that each is open only while it is
 * read.
 * @param names - names of the folders and files in it
 */
export async function openFolders(folder: string, names: readonly string[]): Promise<ValueStore> {
  const paths = new Set<string>();
  const arrays: string[] = [];
  for (const name of names) {
    const inside = await readdir(join(folder, name)).catch((): readonly string[] => []);
    if (ZARR_FILES.some((file) => inside.includes(file))) arrays.push(name);
  }
  return {
    async find(key) {
      const path = join(folder, key);
      const stats = await stat(path).catch(() => undefined);
      if (stats === undefined || !stats.isFile()) return undefined;
      paths.add(path);
      return fileSource(path, folder, stats.size);
    },
    arrays,
    files: () => [...paths],
    async close() {},
  };
}

/** Makes a source of a file that is opened for each read. */
function fileSource(path: string, folder: string, size: number): ByteSource {
  const use = async <T>(work: (source: ByteSource) => Promise<T>): Promise<T> => {
    const source = await openFileSource(path, folder);
    try {
      return await work(source);
    } finally {
      await source.close();
    }
  };
  return {
    name: path,
    size,
    read: (begin, end) => use((source) => source.read(begin, end)),
    readInto: (begin, out) => use((source) => source.readInto(begin, out)),
    async close() {},
  };
}
