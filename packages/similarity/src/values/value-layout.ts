import { formatShape, InputError, sizeOf, type Tensor } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";

/**
 * Treatments of the positions of images and of sequences: `flatten` makes them part of the features,
 * `average` averages over them, `samples` makes each a sample of its own. `auto` takes positions as samples
 * if every value is a sequence and all have the same length, as in a language model, and else as part of the
 * features.
 */
export const POSITIONS = ["auto", "flatten", "average", "samples"] as const;

/** One of {@link POSITIONS}. */
export type Positions = (typeof POSITIONS)[number];

/** Division of the elements of a value. */
export interface ValueLayout {
  /** Number of positions of each example: pixels, or places in a sequence. */
  readonly positions: number;
  /** Number of features at each position: channels of images, or the width of a sequence's vectors. */
  readonly features: number;
  /** Whether positions come after features, as in images. */
  readonly isImage: boolean;
}

/**
 * Returns the division of a value for some examples. With two axes, the second one has the features; with
 * three, the last one, and the second one has the positions; with more, the second one, and the axes after it
 * have the positions. If there are several rows for each example, these are positions of sequences.
 * @throws InputError if the value does not have the examples on its first axis
 */
export function layoutOf(name: string, shape: readonly number[], examples: number): ValueLayout {
  const [rows = 0, ...rest] = shape;
  const size = sizeOf(rest);
  const positions = rows / examples;
  if (!Number.isInteger(positions) || positions < 1 || size < 1) {
    throw new InputError(
      `Cannot measure similarity of "${name}" as its first axis must hold the examples: it is ${formatShape(shape)} for ${examples} examples; name other values`,
      { input: name },
    );
  }
  if (positions > 1 || rest.length < 2) return { positions, features: size, isImage: false };
  const features = (rest.length === 2 ? rest[1] : rest[0]) as number;
  return { positions: size / features, features, isImage: rest.length > 2 };
}

/** Returns the numbers of rows and columns of a value for each example. */
export function sizeOfRows(
  { positions, features }: ValueLayout,
  choice: Exclude<Positions, "auto">,
): { readonly rows: number; readonly columns: number } {
  if (choice === "samples") return { rows: positions, columns: features };
  return { rows: 1, columns: choice === "flatten" ? positions * features : features };
}

/**
 * Reads a value as samples by features.
 * @throws InputError if the value is not f32, or not finite
 */
export function readRows(
  name: string,
  tensor: Tensor | undefined,
  { layout, choice }: { readonly layout: ValueLayout; readonly choice: Exclude<Positions, "auto"> },
): Matrix {
  if (!(tensor?.data instanceof Float32Array)) {
    throw new InputError(
      `Cannot measure similarity of "${name}" as activations must be f32: it is ${tensor?.dtype ?? "nothing"} ${formatShape(tensor?.shape ?? [])}`,
      { input: name },
    );
  }
  const { data } = tensor;
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new InputError(
      `Cannot measure similarity of "${name}" as activations must be finite: element ${wrong} is ${data[wrong]}`,
      { input: name },
    );
  }
  const { columns } = sizeOfRows(layout, choice);
  if (choice === "average") return averagePositions(data, layout);
  const isMoved = choice === "samples" && layout.isImage;
  return { rows: data.length / columns, columns, data: isMoved ? featuresLast(data, layout) : data };
}

function averagePositions(data: Float32Array, layout: ValueLayout): Matrix {
  const { positions, features, isImage } = layout;
  const rows = data.length / (positions * features);
  const turned = isImage ? featuresLast(data, layout) : data;
  const sums = new Float64Array(rows * features);
  for (let place = 0; place < rows * positions; place++) {
    const begin = Math.floor(place / positions) * features;
    for (let j = 0; j < features; j++) {
      sums[begin + j] = (sums[begin + j] as number) + (turned[place * features + j] as number);
    }
  }
  return { rows, columns: features, data: Float32Array.from(sums, (sum) => sum / positions) };
}

function featuresLast(data: Float32Array, { positions, features }: ValueLayout): Float32Array {
  const turned = new Float32Array(data.length);
  const size = positions * features;
  for (let begin = 0; begin < data.length; begin += size) {
    for (let j = 0; j < features; j++) {
      for (let position = 0; position < positions; position++) {
        turned[begin + position * features + j] = data[begin + j * positions + position] as number;
      }
    }
  }
  return turned;
}
