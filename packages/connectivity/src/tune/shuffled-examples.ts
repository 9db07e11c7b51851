import { createRandom, type TensorData, UnsupportedError } from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";

/** Data set whose order changes from epoch to epoch. */
export interface ShuffledExamples {
  /** Examples in the order of the epoch that was last set. */
  readonly data: DataSet;
  /** Puts the examples in the order of an epoch. */
  shuffle(epoch: number): void;
}

/**
 * Returns the examples of a data set in an order that depends on the seed and the epoch.
 * @throws UnsupportedError if examples have further arrays
 */
export function shuffledExamples(data: DataSet, seed: number): ShuffledExamples {
  if (data.features !== undefined) {
    throw new UnsupportedError(
      `Cannot tune by connectivity on "${data.name}" as its examples must be one array each: there are further ones`,
      { feature: "further arrays of examples" },
    );
  }
  const order = Uint32Array.from({ length: data.size }, (_, index) => index);
  const { gatherInto: _, ...plain } = data;
  return {
    data: {
      ...plain,
      read(begin: number, end: number): Batch {
        const { inputs, labels, ...rest } = data.read(begin, end);
        const values = inputs.data.slice() as TensorData;
        const copied = labels.slice();
        const stride = values.length / Math.max(1, end - begin);
        for (let place = 0; place < end - begin; place++) {
          const example = order[begin + place] as number;
          const one = data.read(example, example + 1);
          (values as Float32Array).set(one.inputs.data as Float32Array, place * stride);
          copied.set(one.labels, place);
        }
        return { ...rest, inputs: { ...inputs, data: values }, labels: copied };
      },
    },
    shuffle(epoch) {
      // Each epoch starts from the original order of the data, so that a tuning can resume at any epoch.
      order.forEach((_, index) => {
        order[index] = index;
      });
      createRandom(seed, `${data.name}, epoch ${epoch}`).shuffleInPlace(order);
    },
  };
}
