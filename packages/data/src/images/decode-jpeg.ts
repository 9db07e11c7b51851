import { UnsupportedError } from "@isthmus/core";
import { assertPictureSize, MAX_PIXELS, type Picture, pictureError } from "./picture.ts";
import { type JpegFrame, readJpegFrame } from "./read-jpeg-frame.ts";
import { upsample } from "./upsample-chroma.ts";

/** Checks whether bytes begin as a JPEG file does. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** Maximum number of pixels per byte: a block of 64 takes at least one bit for its mean. */
const PIXELS_PER_BYTE = 512;

/** Maximum number of blocks of coefficients that scans may visit, as a scan of a few bytes visits all. */
const MOST_BLOCKS = 2 ** 24;

/**
 * Decodes a JPEG file, baseline or progressive, grey or in colours. Rotation by EXIF is ignored, as by
 * Pillow's `open`. Colours are combined as in libjpeg; the cosine transform may differ by a level or two.
 * @param source - name for messages
 * @throws FormatError if the file is damaged, or claims more pixels than it can contain or than are supported
 * @throws UnsupportedError if the picture has four colours, as for printing
 */
export async function decodeJpeg(bytes: Uint8Array, source: string): Promise<Picture> {
  const frame = readJpegFrame(bytes, source);
  const { width, height, components } = frame;
  assertPictureSize(source, frame, { bytes: bytes.length, mostPerByte: PIXELS_PER_BYTE });
  const blocks = (frame.scans * components.length * width * height) / 64;
  if (blocks > MOST_BLOCKS && frame.scans > 1) {
    throw pictureError(
      source,
      `its ${frame.scans} scans may go through at most ${MOST_BLOCKS} blocks of pixels: they go through ${Math.round(blocks)}`,
    );
  }
  if (components.length !== 1 && components.length !== 3) {
    throw new UnsupportedError(
      `Cannot read picture "${source}" as JPEG files of 1 or 3 colours are handled: it has ${components.length}; convert it first`,
      { feature: `JPEG of ${components.length} colours` },
    );
  }
  const samples = await decodeSamples(frame, source);
  return { width, height, channels: components.length === 1 ? 1 : 3, data: colourise(samples, frame) };
}

/** Decodes the samples of all components `[height, width, 3]`, without combining them. */
async function decodeSamples(frame: JpegFrame, source: string): Promise<Uint8Array> {
  const { decode } = await loadDecoder();
  try {
    const decoded = decode(frame.withoutAdobe, {
      useTArray: true,
      formatAsRGBA: false,
      colorTransform: false,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: 1024,
    });
    if (decoded.width === frame.width && decoded.height === frame.height) return decoded.data;
  } catch (cause) {
    throw pictureError(source, `it must be an intact JPEG file: ${(cause as Error).message}`, cause);
  }
  throw pictureError(source, "it must be an intact JPEG file: it has two sizes");
}

/** Loads the decoder when the first picture needs it. */
async function loadDecoder(): Promise<typeof import("jpeg-js")> {
  const module = await import("jpeg-js");
  return "default" in module ? (module.default as typeof import("jpeg-js")) : module;
}

/** Computes red, green and blue, or grey, from the samples of components. */
function colourise(samples: Uint8Array, frame: JpegFrame): Uint8Array {
  const { width, height, components } = frame;
  const planes = components.map(({ across, down }, component) =>
    upsample({ samples, component, width, height }, { across, down }),
  );
  const [first, second, third] = planes;
  if (first === undefined || second === undefined || third === undefined) return first ?? samples;
  const out = new Uint8ClampedArray(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const [y, b, r] = [first[i], second[i], third[i]] as [number, number, number];
    if (frame.isRgb) {
      out.set([y, b, r], 3 * i);
      continue;
    }
    const [blue, red] = [b - 128, r - 128];
    // These are the constants of libjpeg, times 2^16.
    out[3 * i] = y + ((91881 * red + 32768) >> 16);
    out[3 * i + 1] = y + ((-22554 * blue - 46802 * red + 32768) >> 16);
    out[3 * i + 2] = y + ((116130 * blue + 32768) >> 16);
  }
  return new Uint8Array(out.buffer);
}
