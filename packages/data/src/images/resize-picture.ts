import { at, sumOf } from "@isthmus/core";
import type { Picture } from "./picture.ts";

/** Number of fractional bits of weights. */
const PRECISION = 22;

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

/** An array of bytes `[count, extent, inner]`. */
interface Axes {
  readonly count: number;
  readonly extent: number;
  readonly inner: number;
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

/** Pixels from which one pixel of the result is computed, and their weights. */
interface Window {
  readonly begin: number;
  readonly weights: Int32Array;
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
