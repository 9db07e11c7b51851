import { at, createTensor, FormatError, InputError, sumOf, type Tensor } from "@isthmus/core";
import { MAX_DATA_BYTES } from "../limits.ts";
import { decodePicture } from "./decode-picture.ts";
import { type Picture, withChannels } from "./picture.ts";

/** Number of fractional bits of weights. */
const PRECISION = 22;

/** Form in which pictures become examples. */
export interface PictureForm {
  /** Height and width to which pictures are resized; undefined if all must have the size of the first one. */
  readonly size: readonly [height: number, width: number] | undefined;
  /** Number of channels: 1 for grey, 3 for red, green and blue. */
  readonly channels: 1 | 3;
}

/** Patterns of the settings in names that define the form. */
export const PICTURE_SETTINGS: { readonly size: RegExp; readonly colours: RegExp } = {
  size: /[1-9]\d{0,4}x[1-9]\d{0,4}/,
  colours: /grey|rgb/,
};

/** An array of bytes `[count, extent, inner]`. */
interface Axes {
  readonly count: number;
  readonly extent: number;
  readonly inner: number;
}

/** Pixels from which one pixel of the result is computed, and their weights. */
interface Window {
  readonly begin: number;
  readonly weights: Int32Array;
}

/**
 * Returns the form that a name states; by default the shape of a graph's examples, else colours in the size
 * of the first picture.
 */
export function pictureFormOf(
  { size, colours }: Readonly<Record<string, string>>,
  imageShape: readonly number[] | undefined,
): PictureForm {
  const [channels, height, width] = imageShape ?? [];
  const [rows = height, columns = width] = size?.split("x").map(Number) ?? [];
  return {
    size: rows === undefined || columns === undefined ? undefined : [rows, columns],
    channels: colours === "grey" || (colours === undefined && channels === 1) ? 1 : 3,
  };
}

/** Pictures of one size in one array. */
export interface PictureStack {
  /**
   * Decodes a picture, converts it to the form, and appends it.
   * @throws FormatError, UnsupportedError if the picture cannot be decoded
   * @throws InputError if no size was requested and the picture's size differs from that of the first one
   */
  add(bytes: Uint8Array, source: string): Promise<void>;
  /** Returns all pictures `[count, channels, height, width]`. */
  inputs(): Tensor;
  /** Returns sentences on how pictures were resized, if any were. */
  notes(): readonly string[];
}

/**
 * Makes an empty stack for some number of pictures; memory is allocated once the size of the first one is
 * known.
 * @param name - name of the data set for messages
 */
export function createPictureStack(name: string, count: number, form: PictureForm): PictureStack {
  let stack: { readonly size: readonly [number, number]; readonly data: Uint8Array } | undefined;
  let added = 0;
  let resized = 0;
  const { channels } = form;
  const allocate = ([height, width]: readonly [number, number]) => {
    const bytes = count * channels * height * width;
    if (bytes <= MAX_DATA_BYTES) return { size: [height, width] as const, data: new Uint8Array(bytes) };
    throw new FormatError(
      `Cannot open data set "${name}" as its pictures may take at most ${MAX_DATA_BYTES} bytes of memory: ${count} of ${channels} x ${height} x ${width} take ${bytes}; take fewer, @N, or smaller ones, ,64x64 behind the path`,
      { format: "data set" },
    );
  };
  return {
    async add(bytes, source) {
      const picture = withChannels(await decodePicture(bytes, source), channels);
      stack ??= allocate(form.size ?? [picture.height, picture.width]);
      const [height, width] = stack.size;
      const fits = picture.height === height && picture.width === width;
      if (!fits && form.size === undefined) throw otherSize(name, source, { picture, height, width });
      if (!fits) resized++;
      writePlanes(fits ? picture : resizePicture(picture, width, height), stack.data, added++);
    },
    inputs() {
      const [height, width] = stack?.size ?? [1, 1];
      return createTensor("u8", [count, channels, height, width], stack?.data ?? new Uint8Array(0));
    },
    notes() {
      if (resized === 0 || stack === undefined) return [];
      const [height, width] = stack.size;
      const which = resized === count ? "Pictures" : `${resized} of ${count} pictures`;
      return [
        `${which} of ${name} are resized to ${height} x ${width}, whatever their proportions (bilinear, antialiased, as torchvision's Resize((${height}, ${width})) does).`,
      ];
    },
  };
}

/** Writes a picture with its channels one after the other. */
function writePlanes({ width, height, channels, data }: Picture, out: Uint8Array, index: number): void {
  const plane = width * height;
  let to = index * channels * plane;
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < plane; pixel++) out[to++] = data[pixel * channels + channel] as number;
  }
}

function otherSize(
  name: string,
  source: string,
  { picture, height, width }: { readonly picture: Picture; readonly height: number; readonly width: number },
): InputError {
  return new InputError(
    `Cannot open data set "${name}" as its pictures must be of one size: the first is ${height} x ${width}, "${source}" is ${picture.height} x ${picture.width}; say the size to which all are resized behind the path: ,${height}x${width}`,
    { input: source },
  );
}

/**
 * Resizes a picture with Pillow's antialiased bilinear filter, `resize((width, height), BILINEAR)`, which
 * torchvision's `Resize((height, width))` calls: columns first, then rows, both rounded to bytes, with the
 * same weights of 22 bits.
 */
export function resizePicture(picture: Picture, width: number, height: number): Picture {
  const { channels } = picture;
  const across = resampled(
    picture.data,
    { count: picture.height, extent: picture.width, inner: channels },
    width,
  );
  const data = resampled(across, { count: 1, extent: picture.height, inner: width * channels }, height);
  return { width, height, channels, data };
}

/** Resizes the middle axis of an array. */
function resampled(data: Uint8Array, { count, extent, inner }: Axes, size: number): Uint8Array {
  if (size === extent) return data;
  const out = new Uint8Array(count * size * inner);
  const windows = windowsOf(extent, size);
  for (let block = 0; block < count; block++) {
    for (let place = 0; place < size; place++) {
      const { begin, weights } = at(windows, place, "window");
      const from = (block * extent + begin) * inner;
      const to = (block * size + place) * inner;
      for (let i = 0; i < inner; i++) {
        let sum = 1 << (PRECISION - 1);
        for (let k = 0; k < weights.length; k++) {
          sum += (data[from + k * inner + i] as number) * (weights[k] as number);
        }
        out[to + i] = Math.min(255, Math.max(0, sum >> PRECISION));
      }
    }
  }
  return out;
}

function windowsOf(extent: number, size: number): Window[] {
  const scale = extent / size;
  // If a picture shrinks, every pixel counts: this is antialiasing.
  const support = Math.max(1, scale);
  return Array.from({ length: size }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(extent, Math.trunc(centre + support + 0.5));
    const shares = Array.from({ length: end - begin }, (_, k) =>
      Math.max(0, 1 - Math.abs((k + begin - centre + 0.5) / support)),
    );
    const sum = sumOf(shares);
    return {
      begin,
      weights: Int32Array.from(shares, (share) => Math.trunc(0.5 + (share / sum) * 2 ** PRECISION)),
    };
  });
}
