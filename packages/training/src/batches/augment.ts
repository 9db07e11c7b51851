import {
  at,
  createRandom,
  formatShape,
  OutOfRangeError,
  resolveOptions,
  UnsupportedError,
} from "@isthmus/core";

/** Options for changing images at random each time they are seen. */
export interface AugmentOptions {
  /**
   * Pixels of padding around each image, which is then cropped at random to its size; 0 crops nothing.
   * @defaultValue 0
   */
  readonly crop?: number;
  /** Whether to mirror every other image, left to right. @defaultValue false */
  readonly flip?: boolean;
}

/** Defaults of {@link AugmentOptions}: no image is changed. */
const AUGMENT_DEFAULTS: Required<AugmentOptions> = { crop: 0, flip: false };

/** An example and the epoch it is seen in, which decide its change beside the seed. */
export interface AugmentKey {
  /** Seed of all changes in a training. */
  readonly seed: number;
  /** Epoch in which the example is seen, from 0. */
  readonly epoch: number;
  /** Position in the data set. */
  readonly example: number;
}

/**
 * A function that changes an image in place. The same key gives the same change, regardless of earlier calls.
 *
 * @param image - `[channels, height, width]`
 */
export type Augment = (image: Float32Array, key: AugmentKey) => void;

/**
 * Returns the function that changes images at random for training, or undefined if the options ask for no
 * change. A change is a crop after padding, then a mirror image, as is usual for small photographs (He et al.
 * 2016, section 4.2).
 *
 * @param exampleShape - `[channels, height, width]`
 * @param padding - value of the pixels around the image, for all channels or one for each: black, scaled like
 *   the images
 * @throws OutOfRangeError if `crop` is not a whole number of at least 0
 * @throws UnsupportedError if examples are not images
 */
export function createAugment(
  options: AugmentOptions,
  exampleShape: readonly number[],
  padding: readonly number[],
): Augment | undefined {
  const { crop, flip } = resolveOptions("augment images", AUGMENT_DEFAULTS, options);
  if (!Number.isSafeInteger(crop) || crop < 0) {
    throw new OutOfRangeError(
      `Cannot augment images as "crop" must be a whole number of pixels of at least 0: it is ${crop}`,
    );
  }
  if (crop === 0 && !flip) return undefined;
  const [channels = 0, height = 0, width = 0] = exampleShape;
  if (exampleShape.length !== 3) {
    throw new UnsupportedError(
      `Cannot augment examples as they must be images, [channels, height, width]: they are ${formatShape(exampleShape)}`,
      { feature: "augment" },
    );
  }
  const scratch = new Float32Array(channels * height * width);
  return (image, { seed, epoch, example }) => {
    const random = createRandom(seed, `example ${example} in epoch ${epoch}`);
    const [down, right] = [random.integer(2 * crop + 1) - crop, random.integer(2 * crop + 1) - crop];
    const mirror = flip && random.integer(2) === 1;
    scratch.set(image);
    moveInto({ image: scratch, channels, height, width }, { down, right, mirror, padding }, image);
  };
}

/** Pixels of an image, `[channels, height, width]`. */
interface Image {
  readonly image: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Place of the window that is cut out of the padded image, and whether it is mirrored. */
interface Move {
  /** Rows by which the window lies lower than the image, negative for higher. */
  readonly down: number;
  readonly right: number;
  readonly mirror: boolean;
  /** Value of the padding, for all channels or one for each. */
  readonly padding: readonly number[];
}

/** Writes the moved window of the padded image into `out`, mirrored left to right if asked for. */
function moveInto(source: Image, { down, right, mirror, padding }: Move, out: Float32Array): void {
  const { image, channels, height, width } = source;
  const begin = Math.max(0, -right);
  const end = Math.min(width, width - right);
  const plane = height * width;
  for (let channel = 0; channel < channels; channel++) {
    out.fill(at(padding, channel % padding.length, "channel"), channel * plane, (channel + 1) * plane);
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      const to = (channel * height + y) * width;
      const from = (channel * height + y + down) * width + right;
      if (mirror) for (let x = begin; x < end; x++) out[to + width - 1 - x] = image[from + x] as number;
      else for (let x = begin; x < end; x++) out[to + x] = image[from + x] as number;
    }
  }
}
