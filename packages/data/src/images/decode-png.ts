import { at } from "@isthmus/core";
import { concatBytes, decodeLatin1, inflate as unpackPixels } from "@isthmus/platform";
import { MAX_INFLATION } from "../limits.ts";
import { assertPictureSize, type Picture, pictureError } from "./picture.ts";

const SIGNATURE = "\x89PNG\r\n\x1a\n";

/** Checks whether bytes begin as a PNG file does. */
export function isPng(bytes: Uint8Array): boolean {
  return decodeLatin1(bytes.subarray(0, SIGNATURE.length)) === SIGNATURE;
}

/** Number of samples of a pixel, and possible depths, by the type of colours. */
const COLOURS: ReadonlyMap<number, { readonly samples: number; readonly depths: readonly number[] }> =
  new Map([
    [0, { samples: 1, depths: [1, 2, 4, 8, 16] }],
    [2, { samples: 3, depths: [8, 16] }],
    [3, { samples: 1, depths: [1, 2, 4, 8] }],
    [4, { samples: 2, depths: [8, 16] }],
    [6, { samples: 4, depths: [8, 16] }],
  ]);
const PALETTE = 3;

/** Position of the first pixel of a pass, and distances between its pixels. */
type Pass = readonly [left: number, top: number, right: number, down: number];

const PLAIN: readonly Pass[] = [[0, 0, 1, 1]];
/** The seven passes of an interlaced picture. */
const ADAM7: readonly Pass[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Number of bits of a sample. */
  readonly depth: number;
  readonly colour: number;
  readonly samples: number;
  readonly passes: readonly Pass[];
}

/**
 * Decodes a PNG file: of 16 bits the upper 8 are used, and transparency is ignored, as by Pillow. Only as
 * many bytes are inflated as the header states, and all chunks except pixels and palette are ignored.
 * @param source - name for messages
 * @throws FormatError if the file is damaged, or claims more pixels than it can contain or than are supported
 */
export function decodePng(bytes: Uint8Array, source: string): Picture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view, source);
  assertPictureSize(source, header, { bytes: bytes.length, mostPerByte: 8 * MAX_INFLATION });
  const { packed, palette } = readChunks(bytes, view, source);
  const raw = inflate(packed, rawBytes(header), source);
  const isGrey = header.colour === 0 || header.colour === 4;
  const { width, height } = header;
  const out: Picture = {
    width,
    height,
    channels: isGrey ? 1 : 3,
    data: new Uint8Array(width * height * (isGrey ? 1 : 3)),
  };
  let offset = 0;
  for (const pass of header.passes) {
    const [columns, rows] = extentOf(header, pass);
    if (columns === 0) continue;
    const rowBytes = rowBytesOf(header, columns);
    const lines = unfilter(raw.subarray(offset, offset + rows * (1 + rowBytes)), rowBytes, {
      header,
      source,
    });
    offset += rows * (1 + rowBytes);
    for (let row = 0; row < rows; row++) {
      const line = lines.subarray(row * rowBytes, (row + 1) * rowBytes);
      const [left, top, right, down] = pass;
      const first = (top + row * down) * width + left;
      writeLine({ line, header, palette, source }, { first, step: right, columns }, out);
    }
  }
  return out;
}

function readHeader(view: DataView, source: string): PngHeader {
  if (view.byteLength < 33 || view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) {
    throw pictureError(source, "a PNG file must begin with a header of 13 bytes: it does not");
  }
  const [depth, colour, interlace] = [view.getUint8(24), view.getUint8(25), view.getUint8(28)];
  const kind = COLOURS.get(colour);
  if (!kind?.depths.includes(depth) || interlace > 1 || view.getUint8(26) !== 0 || view.getUint8(27) !== 0) {
    throw pictureError(
      source,
      `its header must be of a type that PNG has: colour ${colour}, ${depth} bits, interlacing ${interlace}`,
    );
  }
  const passes = interlace === 1 ? ADAM7 : PLAIN;
  const { samples } = kind;
  return { width: view.getUint32(16), height: view.getUint32(20), depth, colour, samples, passes };
}

/** Collects the compressed pixels and the palette. */
function readChunks(
  bytes: Uint8Array,
  view: DataView,
  source: string,
): { readonly packed: Uint8Array; readonly palette: Uint8Array } {
  const parts: Uint8Array[] = [];
  let palette: Uint8Array = new Uint8Array(0);
  for (let offset = SIGNATURE.length; ; ) {
    const length = offset + 12 <= bytes.length ? view.getUint32(offset) : bytes.length;
    if (offset + 12 + length > bytes.length) {
      throw pictureError(source, `it must be whole: it ends within the part at byte ${offset}`);
    }
    const type = decodeLatin1(bytes.subarray(offset + 4, offset + 8));
    const content = bytes.subarray(offset + 8, offset + 8 + length);
    if (type === "IDAT") parts.push(content);
    if (type === "PLTE") palette = content;
    if (type === "IEND") return { packed: concatBytes(parts), palette };
    offset += 12 + length;
  }
}

function inflate(packed: Uint8Array, length: number, source: string): Uint8Array {
  const raw = inflateOrUndefined(packed, length);
  if (raw?.length === length) return raw;
  throw pictureError(
    source,
    `its pixels must be intact: they must inflate to ${length} bytes, and ${raw === undefined ? "do not" : `are ${raw.length}`}`,
  );
}

function inflateOrUndefined(packed: Uint8Array, length: number): Uint8Array | undefined {
  try {
    return unpackPixels(packed, { maxOutputLength: length });
  } catch {
    // The data are damaged, cut short, or longer than the header states.
    return undefined;
  }
}

const extentOf = ({ width, height }: PngHeader, [left, top, right, down]: Pass): [number, number] => [
  Math.max(0, Math.ceil((width - left) / right)),
  Math.max(0, Math.ceil((height - top) / down)),
];

const rowBytesOf = ({ depth, samples }: PngHeader, columns: number): number =>
  Math.ceil((columns * depth * samples) / 8);

/** Computes the number of bytes of all rows of all passes, each with the number of its filter in front. */
function rawBytes(header: PngHeader): number {
  return header.passes.reduce((sum, pass) => {
    const [columns, rows] = extentOf(header, pass);
    return columns === 0 ? sum : sum + rows * (1 + rowBytesOf(header, columns));
  }, 0);
}

/** Reverses the filters of the rows of a pass, and removes their numbers. */
function unfilter(
  raw: Uint8Array,
  rowBytes: number,
  { header, source }: { readonly header: PngHeader; readonly source: string },
): Uint8Array {
  const rows = raw.length / (1 + rowBytes);
  const before = Math.max(1, (header.depth * header.samples) >> 3);
  // A row of zeros lies above the first one.
  const lines = new Uint8Array((rows + 1) * rowBytes);
  for (let row = 0; row < rows; row++) {
    const begin = (row + 1) * rowBytes;
    const from = row * (1 + rowBytes);
    const filter = at(raw, from, "filter");
    if (filter > 4)
      throw pictureError(source, `the filter of a row must be 0 to 4: that of row ${row} is ${filter}`);
    for (let i = 0; i < rowBytes; i++) {
      const left = i < before ? 0 : (lines[begin + i - before] as number);
      const up = lines[begin + i - rowBytes] as number;
      const corner = i < before ? 0 : (lines[begin + i - before - rowBytes] as number);
      lines[begin + i] = (raw[from + 1 + i] as number) + predict(filter, { left, up, corner });
    }
  }
  return lines.subarray(rowBytes);
}

/** Values of the bytes before and above a byte. */
interface Neighbours {
  readonly left: number;
  readonly up: number;
  readonly corner: number;
}

function predict(filter: number, { left, up, corner }: Neighbours): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const sum = left + up - corner;
  const [a, b, c] = [Math.abs(sum - left), Math.abs(sum - up), Math.abs(sum - corner)] as const;
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** A row without filter, and its format. */
interface PngLine {
  readonly line: Uint8Array;
  readonly header: PngHeader;
  readonly palette: Uint8Array;
  readonly source: string;
}

/** Writes the pixels of a row to their positions, every `step` from `first` on. */
function writeLine(
  { line, header, palette, source }: PngLine,
  { first, step, columns }: { readonly first: number; readonly step: number; readonly columns: number },
  { channels, data }: Picture,
): void {
  const { depth, colour, samples } = header;
  const most = 2 ** Math.min(8, depth) - 1;
  const sampleAt = (place: number): number => {
    if (depth === 8) return line[place] as number;
    if (depth === 16) return line[2 * place] as number;
    const bit = place * depth;
    return ((line[bit >> 3] as number) >> (8 - depth - (bit & 7))) & most;
  };
  for (let column = 0; column < columns; column++) {
    const to = (first + column * step) * channels;
    if (colour === PALETTE) {
      const index = sampleAt(column);
      if (3 * index + 3 > palette.length) {
        throw pictureError(
          source,
          `its colours must be in its palette of ${palette.length / 3}: one is ${index}`,
        );
      }
      data.set(palette.subarray(3 * index, 3 * index + 3), to);
    } else {
      for (let channel = 0; channel < channels; channel++)
        data[to + channel] = (sampleAt(column * samples + channel) * 255) / most;
    }
  }
}
