import { swapBytesInPlace } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import { entry as entryOf } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INFLATED_BYTES, MAX_TENSORS } from "../../io/limits.ts";
import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";
import { keepLast } from "../keep-last.ts";
import type { ZipEntry } from "../zip/zip-directory.ts";
import { inflateBeginning, inflateEntry, type OpenEntry, openEntry } from "../zip/zip-entry.ts";
import { assertNpyLength, decodeNpyElements } from "./decode-npy.ts";
import { NPY_PREFIX_BYTES, type NpyHeader, npyHeaderEnd, parseNpyHeader } from "./npy-header.ts";

const formatError = formatErrors("npz");

/** Number of bytes that are read at once to find the header of an array, which is usually shorter. */
const HEAD_BYTES = 512;

/** One array of an archive. */
interface NpzArray extends NpyHeader {
  readonly entry: ZipEntry;
  readonly bytes: OpenEntry;
}

/**
 * Opens a file that `savez` or `savez_compressed` of NumPy wrote: a zip archive of arrays, which are the
 * tensors.
 *
 * Uncompressed arrays in C order are read by range. Compressed arrays and arrays in Fortran order are read as
 * a whole, and the last one is kept in memory. Objects are never unpickled. The checkpoint owns `source` and
 * closes it; on failure the caller must close it.
 * @param files - paths to report as read
 * @param entries - directory of the archive
 * @throws FormatError if an array is damaged, or claims more than the file has
 * @throws UnsupportedError if an array holds neither numbers nor booleans, or is encrypted
 */
export async function openNpzCheckpoint(
  source: ByteSource,
  files: readonly string[],
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<Checkpoint> {
  const arrays = await openArrays(source, entries);
  const readLast = keepLast((name) => readWhole(entryOf(arrays, name, "array"), source));
  return defineCheckpoint({
    source: source.name,
    tensors: new Map([...arrays].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    files,
    async readInto(name, begin, out) {
      const array = entryOf(arrays, name, "array");
      if (array.entry.stored && !array.fortranOrder) return readStored(array, begin, out);
      const data = await readLast(name);
      viewBytes(out).set(viewBytes(data.subarray(begin, begin + out.length)));
    },
    close: () => source.close(),
  });
}

async function openArrays(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<Map<string, NpzArray>> {
  const arrays = new Map<string, NpzArray>();
  for (const [file, entry] of entries) {
    if (!file.endsWith(".npy")) {
      throw formatError(source, `an archive of NumPy must hold .npy files only: it holds "${file}"`);
    }
    arrays.set(file.slice(0, -".npy".length), await openArray(entry, source));
  }
  if (arrays.size > 0 && arrays.size <= MAX_TENSORS) return arrays;
  throw formatError(source, `an archive of NumPy must hold at least one array: it holds ${arrays.size}`);
}

async function openArray(entry: ZipEntry, source: ByteSource): Promise<NpzArray> {
  if (!entry.stored && !entry.deflated) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as arrays must be stored or compressed by deflate: "${entry.name}" is neither, or is encrypted`,
      { feature: "compression of a zip entry" },
    );
  }
  if (entry.deflated && entry.size > MAX_INFLATED_BYTES) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as a compressed array may have at most ${MAX_INFLATED_BYTES} bytes: "${entry.name}" has ${entry.size}; save it with numpy.savez`,
      { feature: "large compressed arrays" },
    );
  }
  const name = `${source.name}: ${entry.name.slice(0, -".npy".length)}`;
  const bytes = openEntry(entry, source);
  const prefix = await readHead(entry, source, HEAD_BYTES);
  const end = npyHeaderEnd(prefix.subarray(0, NPY_PREFIX_BYTES), entry.size, name);
  const head = prefix.length < end ? await readHead(entry, source, end) : prefix;
  const header = parseNpyHeader(head.subarray(0, end), name);
  assertNpyLength(header, entry.size, name);
  return { ...header, entry, bytes };
}

/** Reads at least `length` bytes from the beginning of an array, or all if it has fewer. */
async function readHead(entry: ZipEntry, source: ByteSource, length: number): Promise<Uint8Array> {
  const begin = await entry.locate();
  if (entry.stored) return source.read(begin, begin + Math.min(length, entry.size));
  for (let packed = HEAD_BYTES; ; packed *= 4) {
    const count = Math.min(packed, entry.packedSize);
    const head = inflateBeginning(await source.read(begin, begin + count), entry, source);
    if (head.length >= Math.min(length, entry.size)) return head;
    if (count === entry.packedSize) {
      throw formatError(source, `"${entry.name}" must have ${entry.size} bytes: it has ${head.length}`);
    }
  }
}

/** Fills `out` with elements of an uncompressed array in C order. */
async function readStored(array: NpzArray, begin: number, out: TensorData): Promise<void> {
  const { bytes: width } = DTYPES[array.dtype];
  // The header is read again, so that the checksum covers the whole entry.
  if (begin === 0) await array.bytes.readInto(0, new Uint8Array(array.end));
  await array.bytes.readInto(array.end + begin * width, viewBytes(out));
  if (array.bigEndian) swapBytesInPlace(viewBytes(out), width);
}

/** Reads all elements of an array in row-major order. */
async function readWhole(array: NpzArray, source: ByteSource): Promise<TensorData> {
  const { entry, end } = array;
  if (entry.deflated) return decodeNpyElements(array, (await inflateEntry(entry, source)).subarray(end)).data;
  const body = new Uint8Array(entry.size - end);
  await array.bytes.readInto(end, body);
  return decodeNpyElements(array, body).data;
}
