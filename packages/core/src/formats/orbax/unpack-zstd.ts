import { concatBytes, unpackZstd as native } from "@isthmus/platform";
import type { formatErrors } from "../format-errors.ts";

/** Maximum number of bytes to which Zstandard can expand a byte: one block of one repeated byte. */
const MAX_INFLATION: number = 2 ** 15;

/** Largest window of data that state no size, in bytes: memory that unpacking takes beside what comes out. */
const MAX_WINDOW: number = 2 ** 23;

/** Limits of what may be unpacked. */
export interface UnpackLimits {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Makes errors of the format of the file. */
  readonly fail: ReturnType<typeof formatErrors>;
  /** Most bytes that may come out. */
  readonly most: number;
}

/**
 * Unpacks bytes that Zstandard has packed. A stated size is checked before memory is taken; without one, what
 * comes out is counted block by block.
 *
 * Node.js does the work from 22.15 on; before and in browsers, the library `fzstd` does, which is loaded
 * then. Both take only the memory that was checked; a crafted block can keep `fzstd` at work for minutes.
 * @throws FormatError if the bytes are damaged or cut, or claim more than they can hold
 * @see https://www.rfc-editor.org/rfc/rfc8878
 */
export async function unpackZstd(
  packed: Uint8Array,
  { name, fail, most }: UnpackLimits,
): Promise<Uint8Array> {
  const frame = readFrame(packed);
  const limit = Math.min(most, packed.length * MAX_INFLATION);
  if (frame === undefined || (frame.size ?? 0) > limit || frame.window > Math.max(limit, MAX_WINDOW))
    throw fail(
      name,
      `${packed.length} bytes that Zstandard packed must begin as such, and become at most ${limit}: they claim ${frame?.size ?? "nothing of the kind"}`,
    );
  try {
    if (native !== undefined) return native(packed, { maxOutputLength: Math.max(1, frame.size ?? limit) });
    const { Decompress, decompress } = await import("fzstd");
    if (frame.size !== undefined) {
      const out = new Uint8Array(frame.size);
      // The library can write no further than the array ends.
      if (frame.size > 0) decompress(packed, out);
      return out;
    }
    const parts: Uint8Array[] = [];
    let length = 0;
    const stream = new Decompress((part) => {
      length += part.length;
      if (length > most) throw new Error(`more than ${most} bytes come out`);
      parts.push(part);
    });
    stream.push(packed, true);
    return concatBytes(parts);
  } catch (cause) {
    throw fail(name, `bytes that Zstandard packed must be intact: ${(cause as Error).message}`);
  }
}

/** Header of a frame. */
interface Frame {
  /** Bytes that come out; undefined if they are not stated. */
  readonly size: number | undefined;
  /** Bytes that came out before to which a block may refer. */
  readonly window: number;
}

/** Reads the header of a frame; undefined if it is none, or needs a dictionary. */
function readFrame(packed: Uint8Array): Frame | undefined {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 9 || view.getUint32(0, true) !== 0xfd2f_b528) return undefined;
  const flags = view.getUint8(4);
  if ((flags & 3) !== 0) return undefined;
  const kind = flags >> 6;
  const isSingle = (flags & 0x20) !== 0;
  const descriptor = isSingle ? 0 : view.getUint8(5);
  const window = isSingle ? 0 : 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
  const begin = isSingle ? 5 : 6;
  const width = kind === 0 && !isSingle ? 0 : 2 ** kind;
  if (begin + width > packed.length) return undefined;
  return { size: sizeAt(view, begin, width), window };
}

function sizeAt(view: DataView, begin: number, width: number): number | undefined {
  if (width === 0) return undefined;
  if (width === 1) return view.getUint8(begin);
  if (width === 2) return 256 + view.getUint16(begin, true);
  return width === 4 ? view.getUint32(begin, true) : Number(view.getBigUint64(begin, true));
}
