import { sumOf } from "@isthmus/core";
import { decodeLatin1 } from "@isthmus/platform";
import { pictureError } from "./picture.ts";

/** A component of a JPEG file: brightness, or a difference of colours. */
export interface JpegComponent {
  /** Number by which the file names the component. */
  readonly id: number;
  /** Number of pixels across that share a sample. */
  readonly across: number;
  /** Number of pixels down that share a sample. */
  readonly down: number;
}

/** Contents of the headers of a JPEG file. */
export interface JpegFrame {
  /** Width of the picture in pixels. */
  readonly width: number;
  /** Height of the picture in pixels. */
  readonly height: number;
  /** Components in the order of the file. */
  readonly components: readonly JpegComponent[];
  /** Number of passes over the picture. */
  readonly scans: number;
  /** Whether components are red, green and blue instead of brightness and differences. */
  readonly isRgb: boolean;
  /** File without the marker of Adobe, as its colours are combined here rather than by the decoder. */
  readonly withoutAdobe: Uint8Array;
}

/** Components with their factors, before the factors are compared. */
interface Sampled {
  readonly id: number;
  readonly h: number;
  readonly v: number;
}

/** Maximum number of scans of a progressive file; encoders write about ten. */
const MOST_SCANS = 100;

/**
 * Reads the headers of a JPEG file.
 * @throws FormatError if the file is damaged
 */
export function readJpegFrame(bytes: Uint8Array, source: string): JpegFrame {
  const { frame, scans, adobe, isJfif } = readSegments(bytes, source);
  if (frame === undefined || frame.parts.length === 0 || scans === 0 || scans > MOST_SCANS) {
    throw pictureError(source, `a JPEG file must have a frame and 1 to ${MOST_SCANS} scans: it has ${scans}`);
  }
  const { width, height, parts } = frame;
  const ids = parts.map(({ id }) => id);
  if (new Set(ids).size < ids.length || parts.some(({ h, v }) => !isFactor(h) || !isFactor(v))) {
    throw pictureError(source, "its colours must be sampled by factors of 1 to 4: they are not");
  }
  const withoutAdobe = bytes.slice();
  if (adobe !== undefined) withoutAdobe[adobe.begin] = 0;
  const most = (key: "h" | "v") => Math.max(...parts.map((part) => part[key]));
  return {
    width,
    height,
    scans,
    withoutAdobe,
    isRgb: adobe === undefined ? !isJfif && String.fromCharCode(...ids) === "RGB" : adobe.transform === 0,
    components: parts.map(({ id, h, v }) => ({ id, across: most("h") / h, down: most("v") / v })),
  };
}

/** Contents of the segments of a file. */
interface JpegHeaders {
  readonly frame: Frame | undefined;
  readonly scans: number;
  /**
   * Beginning of the marker of Adobe, and the colour transform that it states; missing if the file has none.
   */
  readonly adobe: { readonly begin: number; readonly transform: number } | undefined;
  readonly isJfif: boolean;
}

function readSegments(bytes: Uint8Array, source: string): JpegHeaders {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = [...segmentsOf(view, source)];
  const namedAs = (marker: number, name: string) =>
    segments.find((segment) => {
      const { begin, end } = segment;
      const text = decodeLatin1(bytes.subarray(begin, Math.min(begin + name.length, end)));
      return segment.marker === marker && text === name;
    });
  const frames = segments.filter(({ marker }) => isFrame(marker));
  if (frames.length > 1 || frames.some(({ marker }) => marker > 0xc2)) {
    throw pictureError(source, "a JPEG file must be one picture, baseline or progressive: it is another");
  }
  const adobe = namedAs(0xee, "Adobe");
  const [frame] = frames;
  return {
    frame: frame && readFrame(view, frame),
    scans: segments.filter(({ marker }) => marker === 0xda).length,
    adobe:
      adobe === undefined || adobe.end - adobe.begin < 12
        ? undefined
        : { begin: adobe.begin, transform: view.getUint8(adobe.begin + 11) },
    isJfif: namedAs(0xe0, "JFIF") !== undefined,
  };
}

const isFactor = (value: number): boolean => 1 <= value && value <= 4;

/** Checks for the markers of frames of all compression methods; markers of tables have numbers in between. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** Size and components of a picture. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly parts: readonly Sampled[];
}

function readFrame(view: DataView, { begin, end }: Segment): Frame {
  const count = end - begin >= 6 ? view.getUint8(begin + 5) : 0;
  const parts: Sampled[] = [];
  for (let i = 0; i < count && begin + 9 + 3 * i <= end; i++) {
    const factors = view.getUint8(begin + 7 + 3 * i);
    parts.push({ id: view.getUint8(begin + 6 + 3 * i), h: factors >> 4, v: factors & 15 });
  }
  if (count === 0) return { width: 0, height: 0, parts };
  return { height: view.getUint16(begin + 1), width: view.getUint16(begin + 3), parts };
}

/**
 * A segment of a file that begins with a marker; the compressed bytes after a scan are not part of a segment.
 */
interface Segment {
  readonly marker: number;
  /** Position of the beginning of its content, after its length, and of its end. */
  readonly begin: number;
  readonly end: number;
}

function* segmentsOf(view: DataView, source: string): Generator<Segment> {
  const END = 0xd9;
  for (let offset = 2; ; ) {
    // Between segments there are fill bytes, compressed bytes of a scan, and restarts.
    while (offset + 1 < view.byteLength && !isMarker(view, offset)) offset++;
    if (offset + 1 >= view.byteLength) throw pictureError(source, "a JPEG file must be whole: it has no end");
    const marker = view.getUint8(offset + 1);
    if (marker === END) return;
    const length = offset + 4 <= view.byteLength ? view.getUint16(offset + 2) : 0;
    const end = offset + 2 + length;
    if (length < 2 || end > view.byteLength) {
      throw pictureError(source, `a JPEG file must be whole: it ends within the part at byte ${offset}`);
    }
    const segment = { marker, begin: offset + 4, end };
    assertLength(view, segment, source);
    yield segment;
    offset = end;
  }
}

/**
 * Number of bytes of a quantisation table with 8-bit and with 16-bit numbers, and of the counts of a Huffman
 * table.
 */
const TABLES = { quantisation: [65, 129], huffman: 17 } as const;

/** @throws FormatError if a segment is longer or shorter than its contents */
function assertLength(view: DataView, segment: Segment, source: string): void {
  const { begin, end } = segment;
  const needed = neededLength(view, segment);
  if (needed === undefined || needed === end - begin) return;
  throw pictureError(
    source,
    `the parts of a JPEG file must be as long as their contents: the one at byte ${begin} has ${end - begin} bytes, and needs ${needed}`,
  );
}

/**
 * Computes the number of bytes that the contents of a segment need; undefined if any length is allowed. A
 * decoder reads the contents regardless of the stated length: a longer segment could hide uncounted scans.
 */
function neededLength(view: DataView, segment: Segment): number | undefined {
  const { marker, begin, end } = segment;
  const byteAt = (place: number): number => (place < end ? view.getUint8(place) : 0);
  if (isFrame(marker)) return 6 + 3 * byteAt(begin + 5);
  switch (marker) {
    case 0xdd:
      return 2;
    case 0xda:
      return 4 + 2 * byteAt(begin);
    case 0xdb:
      return tablesLength(segment, (place) => TABLES.quantisation[byteAt(place) >> 4 === 0 ? 0 : 1]);
    case 0xc4:
      return tablesLength(segment, (place) => {
        const counts = Array.from({ length: TABLES.huffman - 1 }, (_, i) => byteAt(place + 1 + i));
        return TABLES.huffman + sumOf(counts);
      });
    default:
      return undefined;
  }
}

/** Adds up the sizes of the consecutive tables of a segment. */
function tablesLength({ begin, end }: Segment, lengthAt: (place: number) => number): number {
  let place = begin;
  while (place < end) place += lengthAt(place);
  return place - begin;
}

/**
 * Checks for a marker that is followed by a length, or for the end marker; bytes of a scan that look like a
 * marker are followed by 0.
 */
function isMarker(view: DataView, offset: number): boolean {
  const [first, second] = [view.getUint8(offset), view.getUint8(offset + 1)];
  const isRestart = second >= 0xd0 && second <= 0xd8;
  return first === 0xff && second !== 0 && second !== 0xff && second !== 0x01 && !isRestart;
}
