import { crc32c, join, swapBytesInPlace } from "@isthmus/platform";
import { InputError, UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { sliceSource } from "../../io/slice-source.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { sameShape, sizeOf } from "../../tensor/shape.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { KeepRecent } from "../keep-recent.ts";
import { MAX_PIECES } from "../pieces/assert-tiling.ts";
import { type Piece, type ReadPart, runsOf } from "../pieces/piece.ts";
import type { ValueStore } from "./open-store.ts";
import { unpackBytes } from "./unpack-bytes.ts";
import { type Unpacking, type ZarrArray, zarrError } from "./zarr-array.ts";

/** Bytes of unpacked chunks that are kept, so that rows that cross several chunks unpack each once. */
const KEPT_BYTES = 2 ** 28;

/** Value in an index for a chunk that is not stored. */
const ABSENT = 2 ** 64;

/** Opens the bytes of a chunk; undefined if it is not stored. */
type OpenChunk = () => Promise<ByteSource | undefined>;

/** Reads chunks of arrays of Zarr as boxes of tensors. */
export class ChunkReader {
  readonly #folder: string;
  readonly #find: ValueStore["find"];
  readonly #isComplete: boolean;
  readonly #recent: KeepRecent<Uint8Array> = new KeepRecent(KEPT_BYTES);

  /**
   * @param isComplete - whether chunks of zeros are stored, too, so that a chunk that is not stored was lost
   */
  constructor(folder: string, find: ValueStore["find"], isComplete: boolean) {
    this.#folder = folder;
    this.#find = find;
    this.#isComplete = isComplete;
  }

  /**
   * Describes the chunks of an array; none is read now.
   * @throws InputError if a chunk is missing
   * @throws FormatError if there are too many chunks, or one has another size than its elements
   */
  async pieces(name: string, array: ZarrArray): Promise<Piece[]> {
    const { shape, chunk } = array;
    const box = array.shard ?? chunk;
    const grid = shape.map((extent, axis) => Math.ceil(extent / at(box, axis)));
    const inner = box.map((extent, axis) => extent / at(chunk, axis));
    if (sizeOf(grid) * sizeOf(inner) > MAX_PIECES)
      throw zarrError(name, `an array may have ${MAX_PIECES} chunks: it has ${sizeOf(grid) * sizeOf(inner)}`);
    const pieces: Piece[] = [];
    for (const place of placesOf(grid)) {
      const key = `${name}/${array.keyOf(place)}`;
      const source = await this.#find(key);
      if (source === undefined && this.#isComplete) throw missing(join(this.#folder, key));
      const begin = place.map((position, axis) => position * at(box, axis));
      const index = source && array.shard && once(() => readIndex(source, sizeOf(inner), array));
      let number = 0;
      for (const within of placesOf(inner)) {
        const nth = number++;
        const offsets = begin.map((start, axis) => start + at(within, axis) * at(chunk, axis));
        const sizes = shape.map((extent, axis) => Math.min(at(chunk, axis), extent - at(offsets, axis)));
        if (sizes.some((size) => size <= 0)) continue;
        const open: OpenChunk = async () =>
          index === undefined || source === undefined ? source : partOf(source, await index(), nth);
        pieces.push({
          offsets,
          sizes,
          origin: key,
          read: this.#reader(array, sizes, `${key}:${nth}`, open),
        });
      }
    }
    return pieces;
  }

  /** Makes the function that reads a box that a chunk holds, which may be larger than the box. */
  #reader(array: ZarrArray, sizes: readonly number[], key: string, open: OpenChunk): ReadPart {
    const read: ReadPart = async (begin, out) => {
      const width = DTYPES[array.dtype].bytes;
      const bytes = viewBytes(out);
      if (array.unpack.length === 0) {
        const source = await openWhole(array, key, open);
        if (source === undefined) bytes.fill(0);
        else await source.readInto(begin * width, bytes);
      } else {
        const size = sizeOf(array.chunk) * width;
        const chunk = await this.#recent.get(key, size, () => unpackChunk(array, key, open));
        bytes.set(chunk.subarray(begin * width, begin * width + bytes.length));
      }
      if (array.bigEndian) swapBytesInPlace(bytes, width);
    };
    if (sameShape(sizes, array.chunk)) return read;
    const box = { offsets: sizes.map(() => 0), sizes };
    return async (begin, out) => {
      for (const { inPiece, inTensor, length } of runsOf(box, array.chunk, begin, begin + out.length))
        await read(inTensor, out.subarray(inPiece - begin, inPiece - begin + length));
    };
  }
}

function missing(path: string): InputError {
  return new InputError(
    `Cannot open "${path}" as each chunk of an array must be there: it is missing; a process may not have saved it`,
    { input: path },
  );
}

/** Yields all positions in a grid, in row-major order; one of no axes for a grid of none. */
function* placesOf(grid: readonly number[]): Generator<readonly number[]> {
  const total = sizeOf(grid);
  for (let i = 0; i < total; i++) {
    const place = new Array<number>(grid.length);
    let rest = i;
    for (let axis = grid.length - 1; axis >= 0; axis--) {
      place[axis] = rest % at(grid, axis);
      rest = Math.floor(rest / at(grid, axis));
    }
    yield place;
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Reads the index of a box of chunks: where each begins and how long it is. */
async function readIndex(
  source: ByteSource,
  count: number,
  { indexAtEnd, indexChecked }: ZarrArray,
): Promise<readonly (readonly [begin: number, length: number])[]> {
  const length = 16 * count + (indexChecked ? 4 : 0);
  if (length > source.size)
    throw zarrError(
      source,
      `the index of ${count} chunks must fit: it has ${length} bytes of ${source.size}`,
    );
  const begin = indexAtEnd ? source.size - length : 0;
  const bytes = await source.read(begin, begin + length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (indexChecked) assertChecksum(bytes, source.name);
  return Array.from({ length: count }, (_, i) => {
    const [first, size] = [view.getBigUint64(16 * i, true), view.getBigUint64(16 * i + 8, true)];
    return [Number(first), Number(size)] as const;
  });
}

function partOf(
  source: ByteSource,
  index: readonly (readonly [number, number])[],
  number: number,
): ByteSource | undefined {
  const [begin, length] = at(index, number, "chunk");
  return begin === ABSENT && length === ABSENT ? undefined : sliceSource(source, begin, length, source.name);
}

/** Checks the CRC-32C in the last four bytes, and returns the bytes before it. */
function assertChecksum(bytes: Uint8Array, name: string): Uint8Array {
  const end = bytes.length - 4;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (end >= 0 && view.getUint32(end, true) === crc32c(bytes.subarray(0, end))) return bytes.subarray(0, end);
  throw zarrError(name, "bytes must have the checksum that follows them: it differs, so they are damaged");
}

/** Opens a chunk; undefined if it is not stored, and its elements are 0. */
async function openWhole(array: ZarrArray, key: string, open: OpenChunk): Promise<ByteSource | undefined> {
  const source = await open();
  const size = sizeOf(array.chunk) * DTYPES[array.dtype].bytes;
  if (source === undefined && !array.isZeroFilled)
    throw new UnsupportedError(
      `Cannot read "${key}" as chunks that are not stored must be of zeros: they are of another number; restore the array with orbax.checkpoint, and save it again`,
      { feature: "fill value of Zarr" },
    );
  if (source !== undefined && array.unpack.length === 0 && source.size !== size)
    throw zarrError(source, `a chunk must have ${size} bytes: it has ${source.size}`);
  return source;
}

async function unpackChunk(array: ZarrArray, key: string, open: OpenChunk): Promise<Uint8Array> {
  const size = sizeOf(array.chunk) * DTYPES[array.dtype].bytes;
  const source = await openWhole(array, key, open);
  if (source === undefined) return new Uint8Array(size);
  // What cannot be packed grows by some bytes.
  const most = 2 * size + 2 ** 16;
  if (source.size > most)
    throw zarrError(source, `a packed chunk of ${size} bytes may have ${most}: it has ${source.size}`);
  let bytes: Uint8Array = await source.read(0, source.size);
  for (const [i, way] of array.unpack.entries())
    bytes = await unpack(way, bytes, source.name, i + 1 < array.unpack.length ? most : size);
  if (bytes.length === size) return bytes;
  throw zarrError(source, `a chunk must have ${size} bytes once it is unpacked: it has ${bytes.length}`);
}

async function unpack(way: Unpacking, bytes: Uint8Array, name: string, most: number): Promise<Uint8Array> {
  if (way === "crc32c") return assertChecksum(bytes, name);
  return unpackBytes(way, bytes, { name, fail: zarrError, most });
}
