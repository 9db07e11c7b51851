import {
  choiceField,
  createRandom,
  createTensor,
  type FieldsOf,
  InputError,
  resolveFields,
  seedField,
  sizeOf,
  wholeField,
} from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { createDataSet } from "./create-data-set.ts";

/**
 * Layouts of two images in one: next to each other, or in opposite corners, where the brighter pixel is kept.
 */
export const PAIR_LAYOUTS = ["beside", "overlaid"] as const;

/** Layout of two images in one, see {@link PAIR_LAYOUTS}. */
export type PairLayout = (typeof PAIR_LAYOUTS)[number];

/** Options of {@link pairImages}. */
export interface PairImagesOptions {
  /** Seed for the pairing of images. @defaultValue 0 */
  readonly seed?: number;
  /** Layout of both images. @defaultValue "overlaid" */
  readonly layout?: PairLayout;
  /** Number of pixels between the corners of overlaid images. @defaultValue 8 */
  readonly offset?: number;
}

/** Maximum number of pixels between corners: memory is allocated for the whole image. */
const MOST_OFFSET = 10_000;

/** Fields of {@link PairImagesOptions}; overlaid digits of MNIST become images of 36 by 36 pixels. */
export const PAIR_IMAGES_FIELDS: FieldsOf<PairImagesOptions> = {
  seed: seedField("seed of which images are paired"),
  layout: choiceField<PairLayout>(PAIR_LAYOUTS, {
    placeholder: "<name>",
    default: "overlaid",
    help: "how two images become one: side by side, or in opposite corners",
  }),
  offset: wholeField({
    least: 0,
    most: MOST_OFFSET,
    default: 8,
    help: "pixels between the corners of overlaid images",
  }),
};

/** Names of the arrays that hold the labels of both images. */
export const PAIR_TASKS: readonly [string, string] = ["task_1", "task_2"];

const ATTEMPT = "pair images";
/** Number of examples that are read at once. */
const CHUNK = 1000;

/**
 * Makes a data set of two tasks from images: each image is combined with another one, drawn by the seed, and
 * both labels are to be predicted. The labels of the data set belong to the first image; the arrays `task_1`
 * and `task_2` contain both.
 * @throws InputError if examples are not images with one label each
 * @throws OutOfRangeError if an option is out of its range
 * @see Sabour et al., Dynamic routing between capsules, 2017 (MultiMNIST)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet, pairImages } from "@isthmus/data";
 *
 * const pairs = pairImages(await openDataSet("mnist:test@20"), { layout: "beside" });
 * assert.deepEqual([pairs.size, pairs.exampleShape], [20, [1, 28, 56]]);
 * ```
 */
export function pairImages(data: DataSet, options: PairImagesOptions = {}): DataSet {
  const { seed, layout, offset } = resolveFields(ATTEMPT, PAIR_IMAGES_FIELDS, options);
  const shape = shapeOf(data);
  const { images, labels } = readAll(data);
  const order = createRandom(seed, "pairs of images").shuffleInPlace(Uint32Array.from(labels, (_, i) => i));
  const { height, width } = shape;
  const [down, right] = layout === "beside" ? [0, width] : [offset, offset];
  const placed = { ...shape, down, right, low: images.reduce((least, pixel) => Math.min(least, pixel), 0) };
  const size = shape.channels * (height + down) * (width + right);
  const pixels = new Float32Array(data.size * size).fill(placed.low);
  const stride = shape.channels * height * width;
  for (let i = 0; i < data.size; i++) {
    const out = pixels.subarray(i * size, (i + 1) * size);
    const second = order[i] as number;
    placeInto(images.subarray(i * stride, (i + 1) * stride), { ...placed, at: [0, 0] }, out);
    placeInto(images.subarray(second * stride, (second + 1) * stride), { ...placed, at: [down, right] }, out);
  }
  const asTask = (values: Int32Array) => createTensor("i64", [data.size], BigInt64Array.from(values, BigInt));
  const others = Int32Array.from(order, (place) => labels[place] as number);
  const inputs = createTensor("f32", [data.size, shape.channels, height + down, width + right], pixels);
  const paired = createDataSet(inputs, labels, {
    name: `pairs of ${data.name}`,
    classes: data.classes,
    features: new Map([
      [PAIR_TASKS[0], asTask(labels)],
      [PAIR_TASKS[1], asTask(others)],
    ]),
  });
  return data.scaling === undefined ? paired : { ...paired, scaling: data.scaling };
}

/** Extents of images. */
interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

function shapeOf({ name, exampleShape, labelling = "example" }: DataSet): ImageShape {
  const [channels, height, width] = exampleShape;
  if (width !== undefined && exampleShape.length === 3 && labelling === "example")
    return { channels: channels as number, height: height as number, width };
  throw new InputError(
    `Cannot ${ATTEMPT} of "${name}" as examples must be images [channels, height, width] of one label each: they are [${exampleShape.join(", ")}]`,
    { input: name },
  );
}

function readAll(data: DataSet): { readonly images: Float32Array; readonly labels: Int32Array } {
  const stride = sizeOf(data.exampleShape);
  const images = new Float32Array(data.size * stride);
  const labels = new Int32Array(data.size);
  for (let begin = 0; begin < data.size; begin += CHUNK) {
    const batch = data.read(begin, Math.min(begin + CHUNK, data.size));
    images.set(batch.inputs.data as Float32Array, begin * stride);
    labels.set(batch.labels, begin);
  }
  return { images, labels };
}

/** Writes an image into a larger one at a position, where the brighter pixel is kept. */
function placeInto(
  image: Float32Array,
  {
    channels,
    height,
    width,
    down,
    right,
    at: [top, left],
  }: ImageShape & { readonly down: number; readonly right: number; readonly at: readonly [number, number] },
  out: Float32Array,
): void {
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const from = image[(channel * height + row) * width + column] as number;
        const to = (channel * (height + down) + row + top) * (width + right) + column + left;
        out[to] = Math.max(out[to] as number, from);
      }
    }
  }
}
