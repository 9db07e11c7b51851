import * as zlib from "node:zlib";
import { FormatError, findOverlap, InputError, isIsthmusError, type Tensor } from "@isthmus/core";
import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { decodeNpy } from "./decode-npy.ts";
import { MAX_DATA_BYTES, MAX_INFLATION } from "./limits.ts";
import { readDataFile } from "./read-data-file.ts";

/** An open `.npz` file: arrays by name, unpacked one at a time. */
export interface Npz {
  /** Names of the arrays, in order, without `.npy`. */
  readonly names: readonly string[];
  /**
   * Unpacks one array.
   * @throws InputError if there is no array of that name
   * @throws FormatError if it is damaged
   * @throws UnsupportedError if its elements are not numbers or booleans
   */
  read(name: string): Promise<Tensor>;
}

/**
 * Opens a `.npz` file of NumPy, as `savez` or `savez_compressed` write it, to read some of its arrays.
 * @throws InputError if there is no such file or it cannot be read
 * @throws FormatError if it is not a `.npz` file
 */
export async function openNpz(path: string): Promise<Npz> {
  const { buffer, byteOffset, length } = await readDataFile(path);
  const [zip, entries] = await whileUnpacking(path, async () => {
    const opened = await fromBufferPromise(Buffer.from(buffer, byteOffset, length), { lazyEntries: true });
    return [opened, await listArrays(opened, path)];
  });
  return {
    names: [...entries.keys()],
    async read(name) {
      const entry = entries.get(name);
      if (entry === undefined) {
        const names = [...entries.keys()].join(", ") || "no arrays";
        throw new InputError(`Cannot read "${name}" of "${path}" as it must be there: there are ${names}`, {
          input: path,
        });
      }
      return decodeNpy(await whileUnpacking(path, () => unpack(zip, entry, path)), `${path}: ${name}`);
    },
  };
}

/**
 * Reads all arrays of a `.npz` file of NumPy, as `savez` or `savez_compressed` write it, by name.
 * @throws InputError if there is no such file or it cannot be read
 * @throws FormatError if it is not a `.npz` file or is damaged
 * @throws UnsupportedError if elements of an array are not numbers or booleans
 */
export async function readNpz(path: string): Promise<Map<string, Tensor>> {
  const npz = await openNpz(path);
  const tensors = new Map<string, Tensor>();
  for (const name of npz.names) tensors.set(name, await npz.read(name));
  return tensors;
}

async function listArrays(zip: ZipFile, path: string): Promise<Map<string, Entry>> {
  const listed: Entry[] = [];
  for await (const entry of zip.eachEntry()) listed.push(entry);
  const overlap = findOverlap(listed);
  if (overlap !== undefined) {
    throw npzError(
      path,
      `arrays must have bytes of their own: "${overlap[0]}" and "${overlap[1]}" share some`,
    );
  }
  const entries = new Map<string, Entry>();
  for (const entry of listed) {
    if (!entry.fileName.endsWith(".npy")) continue;
    const name = entry.fileName.slice(0, -".npy".length);
    if (entries.has(name)) throw npzError(path, `names must differ: there are two arrays "${name}"`);
    entries.set(name, entry);
  }
  return entries;
}

async function unpack(zip: ZipFile, entry: Entry, path: string): Promise<Uint8Array> {
  const { fileName, compressedSize, uncompressedSize } = entry;
  if (uncompressedSize > Math.min(compressedSize * MAX_INFLATION, MAX_DATA_BYTES)) {
    throw npzError(
      path,
      `what it claims must fit the file: "${fileName}" claims ${uncompressedSize} bytes, compressed to ${compressedSize}`,
    );
  }
  const bytes = new Uint8Array(uncompressedSize);
  let length = 0;
  // The stream fails by itself if there are more or fewer bytes than the entry claims.
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    bytes.set(chunk as Uint8Array, length);
    length += (chunk as Uint8Array).length;
  }
  // Absent before Node 20.15, where damage that inflates to as many bytes goes unnoticed.
  const { crc32 } = zlib as { crc32?: (data: Uint8Array) => number };
  if (crc32 !== undefined && crc32(bytes) !== entry.crc32) {
    throw npzError(path, `"${fileName}" must be intact: its bytes do not have the checksum stored with them`);
  }
  return bytes;
}

/** Runs work that unpacks, and converts errors of the zip library to a FormatError. */
async function whileUnpacking<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isIsthmusError(cause)) throw cause;
    throw npzError(path, `it must be an intact zip file of arrays: ${(cause as Error).message}`, cause);
  }
}

function npzError(path: string, reason: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read "${path}" as ${reason}`, { format: "npz", cause });
}
