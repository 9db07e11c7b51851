import { createRandom, UnsupportedError } from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";
import { type PlantCueOptions, resolveCueOptions } from "./cue-options.ts";
import { createCuePainter } from "./paint-cue.ts";
import { formatCue } from "./parse-cue.ts";
import { readLabels } from "./read-labels.ts";

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
