import { FormatError } from "@isthmus/core";

/** A decoded picture with one byte per sample. */
export interface Picture {
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** Number of channels: 1 for grey, 3 for red, green and blue. */
  readonly channels: 1 | 3;
  /** Samples, `[height, width, channels]`. */
  readonly data: Uint8Array;
}

/** Maximum number of pixels of a picture; decoding takes up to 30 bytes for each. */
export const MAX_PIXELS: number = 2 ** 25;

/**
 * Checks the size that the header of a picture claims, before memory is allocated for it.
 * @param mostPerByte - maximum number of pixels that one byte of the file can contain
 * @throws FormatError if there are no pixels, or more than the file can contain or than are supported
 */
export function assertPictureSize(
  source: string,
  { width, height }: Pick<Picture, "width" | "height">,
  file: { readonly bytes: number; readonly mostPerByte: number },
): void {
  const pixels = width * height;
  if (pixels >= 1 && pixels <= MAX_PIXELS && pixels <= file.bytes * file.mostPerByte) return;
  const rule =
    pixels > MAX_PIXELS
      ? `it may have at most ${MAX_PIXELS} pixels; make it smaller first`
      : "its header must fit the file";
  throw pictureError(source, `${rule}: it claims ${width} x ${height} pixels in ${file.bytes} bytes`);
}

/** Returns the error for a picture that cannot be decoded. */
export function pictureError(source: string, reason: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read picture "${source}" as ${reason}`, { format: "picture", cause });
}

/** Weights of red, green and blue in grey, times 2^16, as in Pillow (ITU-R 601-2). */
const GREY: readonly [number, number, number] = [19595, 38470, 7471];

/** Converts a picture to a number of channels: colours become grey as by Pillow's `convert("L")`. */
export function withChannels(picture: Picture, channels: 1 | 3): Picture {
  const { width, height, data } = picture;
  if (picture.channels === channels) return picture;
  const out = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (channels === 3) {
      out.fill(data[pixel] as number, 3 * pixel, 3 * pixel + 3);
      continue;
    }
    const [red, green, blue] = [data[3 * pixel], data[3 * pixel + 1], data[3 * pixel + 2]] as [
      number,
      number,
      number,
    ];
    out[pixel] = (red * GREY[0] + green * GREY[1] + blue * GREY[2] + 0x8000) >> 16;
  }
  return { width, height, channels, data: out };
}
