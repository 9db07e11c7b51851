import { OutOfRangeError } from "@isthmus/core";
import { allocateBatch, copyExample, type DataSet, gatherExamples } from "@isthmus/graph";
import type { FeatureShift } from "./feature-shift.ts";
import { shiftInPlace } from "./shift-in-place.ts";

/** Choice of examples of a data set, and changes to them. */
export interface HoldExamplesOptions {
  /** Name of the new data set. */
  readonly name: string;
  /** Positions of the examples, in the order of the new data set. */
  readonly positions: Uint32Array;
  /** Shift of the inputs. @defaultValue no shift */
  readonly shift?: FeatureShift | undefined;
  /** Seed of the noise of a shift. @defaultValue 0 */
  readonly seed?: number;
  /** Returns the new class of an example from its true class. @defaultValue the true class */
  readonly relabel?: (label: number) => number;
}

/**
 * Makes a data set of some examples of another data set, and holds them in memory in the form in which
 * networks read them. So the examples of a client, also if they are relabelled or shifted, are read like any
 * other data set.
 * @throws UnsupportedError if inputs to be shifted are not images of f32
 */
export function holdExamples(
  data: DataSet,
  { name, positions, shift, seed = 0, relabel = (label) => label }: HoldExamplesOptions,
): DataSet {
  const size = positions.length;
  const held = gatherExamples(data, positions, allocateBatch(data, size));
  if (shift !== undefined) shiftInPlace(held.inputs, shift, { name, seed });
  const relabelled = { ...held, labels: held.labels.map(relabel) };
  return {
    ...data,
    name,
    size,
    read(begin, end) {
      if (begin < 0 || begin > end || end > size) {
        throw new OutOfRangeError(
          `Cannot read examples [${begin}, ${end}) of "${name}" as they must be within it: there are ${size}`,
        );
      }
      const out = allocateBatch(data, end - begin);
      for (let i = begin; i < end; i++) copyExample(relabelled, i, out, i - begin);
      return out;
    },
    gatherInto(indices, out) {
      for (let i = 0; i < indices.length; i++) {
        const example = indices[i] as number;
        if (example >= size) {
          throw new OutOfRangeError(
            `Cannot read example ${example} of "${name}" as it must be within it: there are ${size}`,
          );
        }
        copyExample(relabelled, example, out, i);
      }
      return out;
    },
  };
}
