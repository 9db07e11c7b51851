import { at } from "@isthmus/core";
import { pad as padImages, reshape, tile, type Value } from "@isthmus/graph/builder";
import { convolveWithBias } from "./residual-block.ts";
import type { UnetContext } from "./unet-context.ts";

/**
 * Halves the height and width of images by a convolution of every second pixel.
 * @param pad - width of the padding on every side; with 0, one row and one column are added behind the image
 */
export function halveImages(context: UnetContext, x: Value, name: string, pad: number): Value {
  const out = at(x.shape, 1, "axis");
  const padded = pad === 0 ? padImages(x, [0, 0, 0, 0], [0, 0, 1, 1]) : x;
  return convolveWithBias(context, padded, name, { out, side: 3, stride: 2, pad });
}

/** Doubles the height and width of images by repeating pixels, and convolves the result. */
export function doubleImages(context: UnetContext, x: Value, name: string): Value {
  const [channels, height, width] = [at(x.shape, 1, "axis"), at(x.shape, 2, "axis"), at(x.shape, 3, "axis")];
  const repeated = tile(reshape(x, [-1, channels, height, 1, width, 1]), [1, 1, 1, 2, 1, 2]);
  const images = reshape(repeated, [-1, channels, 2 * height, 2 * width]);
  return convolveWithBias(context, images, name, { out: channels, side: 3 });
}
