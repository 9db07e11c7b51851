import { UnsupportedError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_HEADER_BYTES, MAX_TENSORS } from "../../io/limits.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { GgufCursor, HeaderGoesOn } from "./gguf-cursor.ts";
import { readMetadata } from "./gguf-metadata.ts";
import { describeUnread, GGUF_TYPES, type GgufType } from "./gguf-types.ts";

/** A tensor of a GGUF file, and the position of its bytes in the file. */
export interface GgufTensor extends TensorInfo {
  /** Type by which the file encodes the elements, such as blocks of 4 bits. */
  readonly type: GgufType;
  /** Position of the tensor's first byte in the file. */
  readonly begin: number;
}

/** Contents of the header of a GGUF file. */
export interface GgufHeader {
  /** Tensors by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Metadata of the file by key, each value as text. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Maximum number of axes of a tensor in a GGUF file. */
export const MAX_GGUF_RANK = 4;

/** Metadata key of the alignment: offsets of tensors are multiples of that number. */
export const ALIGNMENT_KEY = "general.alignment";

/** Alignment if the metadata state none. */
export const DEFAULT_ALIGNMENT = 32;

/** Number of bytes that are read first; headers with a large vocabulary are longer. */
const FIRST_BYTES = 2 ** 20;

/**
 * Reads the header of a GGUF file, and checks that each tensor has a supported type, and its own bytes within
 * the file.
 * @throws FormatError if the header is damaged or cut short
 * @throws UnsupportedError if its version is not 2 or 3, or a tensor has an unsupported type
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const most = Math.min(source.size, MAX_HEADER_BYTES);
  for (let length = Math.min(FIRST_BYTES, most); ; length = Math.min(4 * length, most)) {
    const bytes = await source.read(0, length);
    const cursor = new GgufCursor(bytes, 4, source);
    try {
      return parseHeader(cursor, source);
    } catch (error) {
      if (!(error instanceof HeaderGoesOn)) throw error;
      if (length === most)
        throw cursor.error(`a header may have at most ${MAX_HEADER_BYTES} bytes: it has more`, error);
    }
  }
}

function parseHeader(cursor: GgufCursor, source: ByteSource): GgufHeader {
  assertVersion(cursor.u32(), source);
  // Minimum sizes: the shortest name of a tensor with its rank, type and offset; the shortest key with a type
  // and a value.
  const tensorCount = cursor.count("its tensors", 24);
  const entryCount = cursor.count("its metadata", 13);
  if (tensorCount > MAX_TENSORS)
    throw cursor.error(`a checkpoint may have at most ${MAX_TENSORS} tensors: it has ${tensorCount}`);
  const metadata = readMetadata(cursor, entryCount);
  const stored = new Map<string, GgufTensor>();
  for (let left = tensorCount; left > 0; left--) {
    const [name, tensor] = readTensorInfo(cursor, source);
    if (stored.has(name)) throw cursor.error(`names of tensors must differ: "${name}" is there twice`);
    stored.set(name, tensor);
  }
  const alignment = alignmentOf(metadata, cursor);
  const origin = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = new Map(
    [...stored].map(([name, tensor]) => [name, { ...tensor, begin: origin + tensor.begin }]),
  );
  assertPlaces(tensors, source, cursor);
  return { tensors, metadata };
}

function assertVersion(version: number, { name }: ByteSource): void {
  if (version === 2 || version === 3) return;
  const bigEndian = version === 2 ** 24 * 3 || version === 2 ** 24 * 2;
  throw new UnsupportedError(
    `Cannot read "${name}" as its version of GGUF must be 2 or 3: it is ${bigEndian ? "of a big-endian machine" : version}`,
    { feature: `GGUF ${version}` },
  );
}

function readTensorInfo(cursor: GgufCursor, source: ByteSource): readonly [string, GgufTensor] {
  const name = cursor.text("the name of a tensor");
  const rank = cursor.u32();
  if (rank > MAX_GGUF_RANK) throw cursor.error(`"${name}" may have ${MAX_GGUF_RANK} axes: it has ${rank}`);
  // The axis that varies fastest comes first.
  const extents = Array.from({ length: rank }, () =>
    cursor.number(8, (view, at) => view.getBigUint64(at, true)),
  );
  const number = cursor.u32();
  const offset = cursor.number(8, (view, at) => view.getBigUint64(at, true));
  const type = GGUF_TYPES.get(number);
  if (type === undefined) {
    throw new UnsupportedError(
      `Cannot read "${name}" of "${source.name}" as its type must be one of ${[...GGUF_TYPES.values()].map((handled) => handled.name).join(", ")}: it has ${describeUnread(number)}`,
      { feature: `GGUF type ${number}` },
    );
  }
  const elements = extents.reduce((product, extent) => product * extent, 1n);
  const shape = extents.map(Number).reverse();
  if (
    elements > BigInt(Number.MAX_SAFE_INTEGER) ||
    !shape.every(Number.isSafeInteger) ||
    offset > BigInt(source.size)
  )
    throw cursor.error(
      `"${name}" must have a size and place within the file: it is ${formatShape(shape)} at byte ${offset} of the tensors, in a file of ${source.size}; the file may be cut short`,
    );
  if (Number(extents[0] ?? 1n) % type.blockElements !== 0)
    throw cursor.error(
      `rows of "${name}" must have whole blocks of ${type.blockElements} elements in ${type.name}: ${formatShape(shape)}`,
    );
  return [name, { dtype: type.dtype, shape, type, begin: Number(offset), ...storedAs(type) }];
}

/** Names the stored type of a tensor if it differs from the element type. */
function storedAs(type: GgufType): { readonly stored?: string } {
  return type.decoder === undefined ? {} : { stored: type.name };
}

function alignmentOf(metadata: Readonly<Record<string, string>>, cursor: GgufCursor): number {
  const text = metadata[ALIGNMENT_KEY];
  if (text === undefined) return DEFAULT_ALIGNMENT;
  const alignment = Number(text);
  if (Number.isInteger(alignment) && alignment > 0 && alignment <= 2 ** 20) return alignment;
  throw cursor.error(`${ALIGNMENT_KEY} must be a whole number from 1 to 2^20: it is ${text.slice(0, 50)}`);
}

/** Returns the number of bytes that a tensor has in its file. */
export function storedBytes({ type, shape }: Pick<GgufTensor, "type" | "shape">): number {
  const elements = sizeOf(shape);
  return (elements / type.blockElements) * type.blockBytes;
}

function assertPlaces(
  tensors: ReadonlyMap<string, GgufTensor>,
  { size }: ByteSource,
  cursor: GgufCursor,
): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin);
  let position = 0;
  for (const [name, tensor] of sorted) {
    const end = tensor.begin + storedBytes(tensor);
    if (end > size)
      throw cursor.error(
        `the bytes of "${name}" must be within the file: it ends at byte ${end} of ${size}; the file may be cut short`,
      );
    if (tensor.begin < position && end > tensor.begin)
      throw cursor.error(`tensors must have bytes of their own: "${name}" shares some with another`);
    position = Math.max(position, end);
  }
}
