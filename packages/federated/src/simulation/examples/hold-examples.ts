import { createTensor, OutOfRangeError, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";
import type { FeatureShift } from "./feature-shift.ts";
import { shiftInPlace } from "./shift-in-place.ts";

/** Some examples of a data set, and what is done to them. */
export interface HoldExamplesOptions {
  /** Name of the new data set. */
  readonly name: string;
  /** Positions of the examples, in the order that they are to be in. */
  readonly positions: Uint32Array;
  /** Change of the inputs. @defaultValue none */
  readonly shift?: FeatureShift | undefined;
  /** Seed of the noise of a shift. @defaultValue 0 */
  readonly seed?: number;
  /** Returns the class that an example is said to be of. @defaultValue the class that it is of */
  readonly relabel?: (label: number) => number;
}

/**
 * Makes a data set of some examples of another, which it holds in memory as networks are fed them: what a
 * client has, and what attackers and shifts make of it, is read as any other data set is.
 * @throws UnsupportedError if there are features beside the inputs, or inputs to be shifted are no images of
 *   f32
 */
export function holdExamples(
  data: DataSet,
  { name, positions, shift, seed = 0, relabel = (label) => label }: HoldExamplesOptions,
): DataSet {
  if (data.features !== undefined && data.features.size > 0) {
    throw new UnsupportedError(
      `Cannot hold examples of "${data.name}" as they must have inputs and labels only: they have features`,
      { feature: "features" },
    );
  }
  const { inputs, labels } = gather(data, positions);
  if (shift !== undefined) shiftInPlace(inputs, shift, { name, seed });
  const relabelled = labels.map(relabel);
  const stride = sizeOf(data.exampleShape);
  const size = positions.length;
  const slice = (begin: number, end: number): Batch => ({
    inputs: createTensor(
      inputs.dtype,
      [end - begin, ...data.exampleShape],
      inputs.data.slice(begin * stride, end * stride),
    ),
    labels: relabelled.slice(begin, end),
  });
  return {
    ...data,
    ...{ name, size },
    read(begin, end) {
      if (begin < 0 || begin > end || end > size) {
        throw new OutOfRangeError(
          `Cannot read examples [${begin}, ${end}) of "${name}" as they must be within it: there are ${size}`,
        );
      }
      return slice(begin, end);
    },
    gatherInto(indices, out) {
      for (let i = 0; i < indices.length; i++) {
        const example = indices[i] as number;
        if (example >= size) {
          throw new OutOfRangeError(
            `Cannot read example ${example} of "${name}" as it must be within it: there are ${size}`,
          );
        }
        const values = inputs.data.subarray(example * stride, (example + 1) * stride);
        out.inputs.data.set(values as never, i * stride);
        out.labels[i] = relabelled[example] as number;
      }
      return out;
    },
  };
}

/** Reads examples into one batch of memory of its own. */
function gather(data: DataSet, positions: Uint32Array): Batch {
  const { inputs } = data.read(0, 1);
  const [size, stride] = [positions.length, sizeOf(data.exampleShape)];
  const Class = inputs.data.constructor as new (length: number) => typeof inputs.data;
  const out: Batch = {
    inputs: createTensor(inputs.dtype, [size, ...data.exampleShape], new Class(size * stride)),
    labels: new Int32Array(size),
  };
  if (data.gatherInto !== undefined) return data.gatherInto(positions, out);
  for (let i = 0; i < size; i++) {
    const position = positions[i] as number;
    const example = data.read(position, position + 1);
    out.inputs.data.set(example.inputs.data as never, i * stride);
    out.labels.set(example.labels, i);
  }
  return out;
}
