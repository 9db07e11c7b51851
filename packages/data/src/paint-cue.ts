import { at, OutOfRangeError } from "@isthmus/core";
import { channelScalings, type DataSet, type Scaling } from "@isthmus/graph";
import type { PlantCueOptions } from "./cue-options.ts";

/** Function that paints the cue of a class into one image of a batch. */
export type CuePainter = (pixels: Float32Array, place: number, told: number) => void;

/**
 * Creates the function that paints cues.
 * @throws OutOfRangeError if the patch is larger than the images, or the border has too few places for the
 *   classes
 */
export function createCuePainter(
  { name, exampleShape, classes, scaling }: DataSet,
  { kind, size, levels }: Required<PlantCueOptions>,
): CuePainter {
  const axes = exampleShape.length;
  const [height, width] = [at(exampleShape, axes - 2, "axis"), at(exampleShape, axes - 1, "axis")];
  const channels = axes === 3 ? at(exampleShape, 0, "axis") : 1;
  if (size > height || size > width) {
    throw new OutOfRangeError(
      `Cannot plant a cue in "${name}" as "size" must be at most the images' ${height} x ${width}: it is ${size}`,
    );
  }
  const shades = levels === undefined ? levelsOf(scaling) : [levels];
  const corners = kind === "place" ? placesOf({ name, height, width, classes }, size) : [];
  return (pixels, place, told) => {
    const share = kind === "grey" ? (told + 1) / classes : 1;
    const [top, left] = kind === "grey" ? ([0, 0] as const) : at(corners, told, "place of a class");
    for (let channel = 0; channel < channels; channel++) {
      const image = (place * channels + channel) * height * width;
      const [black, white] = at(shades, channel % shades.length, "channel");
      const level = share === 1 ? white : black + share * (white - black);
      for (let row = top; row < top + size; row++) {
        pixels.fill(level, image + row * width + left, image + row * width + left + size);
      }
    }
  };
}

/** Returns the scaled values of black and white, one pair for all channels or one for each. */
function levelsOf(scaling: Scaling | undefined): readonly (readonly [number, number])[] {
  if (scaling === undefined) return [[0, 1]];
  return channelScalings(scaling).map(({ mean, std }) => [-mean / std, (1 - mean) / std]);
}

/** Facts on which the places of patches depend. */
interface Border {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

/** Returns the upper left corner of a patch for each class, spread evenly along the border, clockwise. */
function placesOf({ name, height, width, classes }: Border, size: number): [number, number][] {
  const [down, right] = [height - size, width - size];
  const border = 2 * (down + right);
  if (border < classes * size) {
    throw new OutOfRangeError(
      `Cannot plant a cue in "${name}" as the border must have a place for each of ${classes} classes: ` +
        `images of ${height} x ${width} have ${Math.floor(border / size)} of "size" ${size}; take a smaller size, or kind "grey"`,
    );
  }
  return Array.from({ length: classes }, (_, told): [number, number] => {
    const along = Math.floor((told * border) / classes);
    if (along <= right) return [0, along];
    if (along <= right + down) return [along - right, right];
    if (along <= 2 * right + down) return [down, 2 * right + down - along];
    return [border - along, 0];
  });
}
