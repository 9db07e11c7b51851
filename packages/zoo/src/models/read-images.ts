import { UnsupportedError } from "@isthmus/core";
import type { ModelConfig } from "./model-config.ts";

/** Images that a network takes, and the patches that tile them. */
export interface ReadImages {
  /** Shape of an image, `[channels, height, width]`. */
  readonly shape: readonly [number, number, number];
  /** Side of a patch in pixels. */
  readonly patch: number;
}

/**
 * Reads the size of images and of the patches that tile them.
 * @throws FormatError if patches do not tile images
 * @throws UnsupportedError if patches are not square
 */
export function readImages(config: ModelConfig): ReadImages {
  const [height, across] = config.extents("image_size");
  const [patch, patchWidth] = config.extents("patch_size");
  assertSquare(config, [patch, patchWidth]);
  config.assertDivides(["image_size", height], ["patch_size", patch]);
  config.assertDivides(["image_size", across], ["patch_size", patch]);
  return { shape: [config.count("num_channels"), height, across], patch };
}

/** Returns the field of images of at most three patches a side. */
export function narrowImages(config: ModelConfig): Readonly<Record<string, unknown>> {
  const [patchHeight, patchWidth] = config.extents("patch_size");
  const [imageHeight, imageWidth] = config.extents("image_size");
  return { image_size: [Math.min(imageHeight, 3 * patchHeight), Math.min(imageWidth, 3 * patchWidth)] };
}

function assertSquare({ source }: ModelConfig, [height, width]: readonly [number, number]): void {
  if (height === width) return;
  throw new UnsupportedError(
    `Cannot build the network of "${source}" as patches must be square: "patch_size" is [${height}, ${width}]`,
    { feature: "patch_size" },
  );
}
