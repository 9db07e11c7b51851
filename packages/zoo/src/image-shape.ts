import { formatShape, InputError } from "@isthmus/core";
import type { NetworkShape } from "./network.ts";

/** Extents of images. */
export interface ImageShape {
  /** Number of channels. */
  readonly channels: number;
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
}

/**
 * Reads the shape of images, `[channels, height, width]`.
 * @throws InputError if examples are not images
 */
export function imageShape(family: string, { exampleShape }: NetworkShape): ImageShape {
  const [channels, height, width] = exampleShape;
  if (exampleShape.length === 3 && channels !== undefined && height !== undefined && width !== undefined) {
    return { channels, height, width };
  }
  throw new InputError(
    `Cannot build "${family}" for examples ${formatShape(exampleShape)} as they must be images [channels, height, width]`,
    { input: family },
  );
}

/**
 * Smaller side, in pixels, of the largest images whose resolution the first layers keep; larger ones are
 * halved at once.
 */
const SMALL_IMAGE = 64;

/** Checks whether networks treat images as small, like CIFAR's, rather than like ImageNet's. */
export function isSmall({ height, width }: ImageShape): boolean {
  return Math.min(height, width) <= SMALL_IMAGE;
}
