import { createRandom, UnsupportedError } from "@isthmus/core";
import { assertLabelled, type Batch, type DataSet } from "@isthmus/graph";
import { readLabels } from "./read-labels.ts";

/**
 * Returns a data set with the same examples and with the same labels in another order, so that labels do not
 * depend on examples, and a network can only memorize them.
 * @param seed - seed of the order
 * @throws UnsupportedError if labels belong to positions, as for texts
 * @throws OutOfRangeError if the seed is not a whole number in `[0, 2^53)`
 * @see Zhang et al., Understanding deep learning requires rethinking generalization, 2017
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 * import { createDataSet, shuffleLabels } from "@isthmus/data";
 *
 * const points = createTensor("f32", [4, 1], Float32Array.of(0, 1, 2, 3));
 * const data = shuffleLabels(createDataSet(points, Int32Array.of(0, 0, 1, 1)), 0);
 * assert.deepEqual([...data.read(0, 4).labels].sort(), [0, 0, 1, 1]);
 * ```
 */
export function shuffleLabels(data: DataSet, seed: number): DataSet {
  assertLabelled("shuffle labels", data);
  const { labelling = "example", vocabulary } = data;
  if (labelling !== "example" || vocabulary !== undefined) {
    throw new UnsupportedError(
      `Cannot shuffle the labels of "${data.name}" as each example must have one label: its labels belong to positions`,
      { feature: "shuffled labels of positions" },
    );
  }
  const order = createRandom(seed, "labels").shuffleInPlace(
    Uint32Array.from({ length: data.size }, (_, i) => i),
  );
  const labels = readLabels(data);
  const labelOf = (example: number) => labels[order[example] as number] as number;
  const { gatherInto } = data;
  return Object.freeze({
    ...data,
    name: `${data.name} with shuffled labels`,
    read(begin: number, end: number): Batch {
      const batch = data.read(begin, end);
      return { ...batch, labels: batch.labels.map((_, i) => labelOf(begin + i)) };
    },
    ...(gatherInto && {
      gatherInto(indices: Uint32Array, out: Batch): Batch {
        gatherInto(indices, out);
        indices.forEach((index, place) => {
          out.labels[place] = labelOf(index);
        });
        return out;
      },
    }),
  });
}
