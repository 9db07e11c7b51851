import { allocateData, createTensor, fromFloat64Into, sizeOf, type Tensor } from "@isthmus/core";
import type { TrainingMode } from "@isthmus/training";

/** Returns the feeds of the masks of dropout by which nothing is dropped. */
export function masksOfOnes({ masks }: Pick<TrainingMode, "masks">): [string, Tensor][] {
  return masks.map(({ name, dtype, shape }) => {
    const ones = new Float64Array(sizeOf(shape)).fill(1);
    const data = fromFloat64Into(ones, dtype, allocateData(dtype, ones.length));
    return [name, createTensor(dtype, shape, data)];
  });
}
