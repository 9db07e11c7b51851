import { codedError } from "./coded-error.ts";

/** How many bytes come out of data that Zstandard packed, by the heads of its frames and blocks alone. */
export interface ZstdExtent {
  /** Number of frames, with those to skip. */
  readonly frames: number;
  /** Bytes that come out of all frames; undefined if one does not state its own. */
  readonly stated: number | undefined;
  /** Most bytes that all blocks can become. */
  readonly bound: number;
  /** Most bytes that came out before to which a block may refer. */
  readonly window: number;
}

/** Numbers with which frames begin; the last four bits of that of frames to skip are free. */
const [FRAME, SKIPPED] = [0xfd2f_b528, 0x0184_d2a5] as const;

/** Most bytes that a compressed block can become. */
const MAX_BLOCK: number = 2 ** 17;

/**
 * Kinds of blocks: heads of the first two state the bytes that come out, and of the third the stored ones.
 */
const [PLAIN, REPEATED, COMPRESSED] = [0, 1, 2] as const;

/**
 * Walks over the heads of frames and blocks of data that Zstandard packed; no block is unpacked.
 * @throws Error with the code `Z_DATA_ERROR` if they are damaged or cut, or need a dictionary
 * @see https://www.rfc-editor.org/rfc/rfc8878
 */
export function extentOfZstd(packed: Uint8Array): ZstdExtent {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let extent: Omit<ZstdExtent, "frames"> = { stated: 0, bound: 0, window: 0 };
  let [begin, frames] = [0, 0];
  do {
    assertHeld(view, begin + 8);
    const magic = view.getUint32(begin, true);
    if (magic >>> 4 === SKIPPED) begin += 8 + view.getUint32(begin + 4, true);
    else if (magic === FRAME) {
      const { end, stated, bound, window } = readFrame(view, begin);
      extent = {
        stated: extent.stated === undefined || stated === undefined ? undefined : extent.stated + stated,
        bound: extent.bound + bound,
        window: Math.max(extent.window, window),
      };
      begin = end;
    } else throw damaged("each frame must begin with the number of Zstandard");
    assertHeld(view, begin);
    frames++;
  } while (begin < view.byteLength);
  return { ...extent, frames };
}

function readFrame(view: DataView, begin: number): Omit<ZstdExtent, "frames"> & { readonly end: number } {
  const flags = view.getUint8(begin + 4);
  if ((flags & 0x0b) !== 0) throw damaged("frames must need no dictionary, and have no unknown flag");
  const isSingle = (flags & 0x20) !== 0;
  const kind = flags >> 6;
  const width = kind === 0 && !isSingle ? 0 : 2 ** kind;
  const head = begin + (isSingle ? 5 : 6);
  assertHeld(view, head + width);
  const stated = sizeAt(view, head, width);
  const descriptor = isSingle ? 0 : view.getUint8(begin + 5);
  const window = isSingle ? 0 : 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
  const { end, bound } = readBlocks(
    view,
    head + width,
    Math.min(MAX_BLOCK, isSingle ? (stated ?? 0) : window),
  );
  return { end: end + ((flags & 4) === 0 ? 0 : 4), stated, bound, window };
}

function readBlocks(
  view: DataView,
  begin: number,
  most: number,
): { readonly end: number; readonly bound: number } {
  let [end, bound] = [begin, 0];
  for (let isLast = false; !isLast; ) {
    assertHeld(view, end + 3);
    const head = view.getUint16(end, true) + 2 ** 16 * view.getUint8(end + 2);
    isLast = (head & 1) === 1;
    const [kind, length] = [(head >> 1) & 3, head >> 3];
    if (kind !== PLAIN && kind !== REPEATED && kind !== COMPRESSED)
      throw damaged("a block is of no known kind");
    bound += kind === COMPRESSED ? most : length;
    end += 3 + (kind === REPEATED ? 1 : length);
  }
  return { end, bound };
}

function sizeAt(view: DataView, begin: number, width: number): number | undefined {
  if (width === 0) return undefined;
  if (width === 1) return view.getUint8(begin);
  if (width === 2) return 256 + view.getUint16(begin, true);
  return width === 4 ? view.getUint32(begin, true) : Number(view.getBigUint64(begin, true));
}

function assertHeld(view: DataView, end: number): void {
  if (end > view.byteLength) throw damaged("they are cut");
}

function damaged(message: string): Error {
  return codedError("Z_DATA_ERROR", message);
}
