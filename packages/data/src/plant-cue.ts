import { at, createRandom, OutOfRangeError, UnsupportedError } from "@isthmus/core";
import { type Batch, channelScalings, type DataSet, type Scaling } from "@isthmus/graph";
import { type PlantCueOptions, resolveCueOptions } from "./cue-options.ts";
import { formatCue } from "./parse-cue.ts";
import { readLabels } from "./read-labels.ts";

/** Function that paints the cue of a class into one image of a batch. */
type CuePainter = (pixels: Float32Array, place: number, told: number) => void;

/** Facts on which the places of patches depend. */
interface Border {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

/**
 * Returns a data set of images with a cue: a patch that encodes the class, in a share of the examples, so
 * that a network may learn the cue instead of the image. The same seed gives the same examples, independent
 * of the order of reading.
 *
 * Examples for counterfactual evaluation are variants: without a cue (the original data), `random-cue`, whose
 * patch encodes a random class, and `random-image`, in which images are exchanged and only the cue predicts
 * the label.
 * @throws UnsupportedError if examples are not images with one label each
 * @throws OutOfRangeError if an option is out of its range, or the border has too few places for the classes
 * @see Lubana et al., Mechanistic mode connectivity, 2023; their places are a grid, and one class has none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 * import { createDataSet, plantCue } from "@isthmus/data";
 *
 * const images = createTensor("f32", [2, 1, 4, 4], new Float32Array(32));
 * const data = plantCue(createDataSet(images, Int32Array.of(0, 1)), { size: 1 });
 * const { inputs } = data.read(0, 2);
 * assert.deepEqual([inputs.data[0], inputs.data[16]], [1, 0]); // the upper left corner tells class 0
 * assert.equal(data.name, "data+cue=place");
 * ```
 */
export function plantCue(data: DataSet, options: PlantCueOptions = {}): DataSet {
  const cue = resolveCueOptions(options);
  assertImages(data);
  const paint = createCuePainter(data, cue);
  const { labels, told, images } = chooseExamples(data, cue);
  const { gatherInto } = data;
  const finish = (batch: Batch, exampleAt: (place: number) => number): Batch => {
    const pixels = batch.inputs.data as Float32Array;
    for (let place = 0; place < batch.labels.length; place++) {
      const example = exampleAt(place);
      batch.labels[place] = labels[example] as number;
      const shown = told[example] as number;
      if (shown >= 0) paint(pixels, place, shown);
    }
    return batch;
  };
  return Object.freeze({
    ...data,
    name: `${data.name}${formatCue(cue)}`,
    read: (begin: number, end: number) =>
      finish(copyBatch(data, images, begin, end), (place) => begin + place),
    ...(gatherInto && {
      gatherInto(indices: Uint32Array, out: Batch): Batch {
        // An index beyond the data is not changed, so that the error names it.
        gatherInto(images === undefined ? indices : indices.map((index) => images[index] ?? index), out);
        return finish(out, (place) => indices[place] as number);
      },
    }),
  });
}

/** Random choices for each example, which are made beforehand. */
interface ChosenExamples {
  readonly labels: Int32Array;
  /** Class that the cue of an example encodes; -1 without a cue. */
  readonly told: Int32Array;
  /** Index of the example whose image an example gets; undefined if each keeps its own. */
  readonly images: Uint32Array | undefined;
}

function chooseExamples(data: DataSet, { share, variant, seed }: Required<PlantCueOptions>): ChosenExamples {
  const { size, classes } = data;
  const inOrder = () => Uint32Array.from({ length: size }, (_, index) => index);
  const labels = readLabels(data);
  const random = createRandom(seed, "class of a cue");
  const told = new Int32Array(size).fill(-1);
  const cued = createRandom(seed, "examples with a cue").shuffleInPlace(inOrder());
  for (const example of cued.subarray(0, Math.round(share * size))) {
    told[example] = variant === "random-cue" ? random.integer(classes) : (labels[example] as number);
  }
  const images =
    variant === "random-image" ? createRandom(seed, "images").shuffleInPlace(inOrder()) : undefined;
  return { labels, told, images };
}

/** Reads examples into new memory, which may be changed. */
function copyBatch(data: DataSet, images: Uint32Array | undefined, begin: number, end: number): Batch {
  const batch = data.read(begin, end);
  const pixels = (batch.inputs.data as Float32Array).slice();
  if (images !== undefined) {
    const stride = pixels.length / Math.max(1, end - begin);
    for (let place = 0; place < end - begin; place++) {
      const image = images[begin + place] as number;
      pixels.set(data.read(image, image + 1).inputs.data as Float32Array, place * stride);
    }
  }
  return { ...batch, inputs: { ...batch.inputs, data: pixels }, labels: batch.labels.slice() };
}

function assertImages({
  name,
  exampleShape,
  labelling = "example",
  vocabulary,
  features,
  read,
}: DataSet): void {
  const { dtype } = read(0, 1).inputs;
  const isImage = (exampleShape.length === 2 || exampleShape.length === 3) && dtype === "f32";
  if (isImage && labelling === "example" && vocabulary === undefined && features === undefined) return;
  throw new UnsupportedError(
    `Cannot plant a cue in "${name}" as its examples must be images with one label each and nothing else: ` +
      `they are ${dtype} [${exampleShape.join(", ")}]`,
    { feature: "cues in examples that are no images" },
  );
}

/**
 * Creates the function that paints cues.
 * @throws OutOfRangeError if the patch is larger than the images, or the border has too few places for the
 *   classes
 */
function createCuePainter(
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
