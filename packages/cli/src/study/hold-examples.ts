import { createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/** Bytes of f32 up to which a data set is held: twice the training images of MNIST, in every thread. */
const MOST_BYTES = 400e6;

/**
 * The same data set with its examples scaled once and for all, where they are bytes: tasks go through them hundreds of times, and
 * for small networks scaling takes as long as learning.
 */
export function holdExamples(data: DataSet): DataSet {
  const { name, classes, size, exampleShape, scaling, inputName, labelling } = data;
  if (scaling === undefined || 4 * size * sizeOf(exampleShape) > MOST_BYTES) return data;
  const { inputs, labels, features = new Map<string, Tensor>() } = data.read(0, size);
  const perExample = labels.length / size;
  const labelled = perExample === 1 ? labels : createTensor("i32", [size, perExample], labels);
  return createDataSet(createTensor("f32", inputs.shape, inputs.data as Float32Array), labelled, {
    ...{ name, classes, inputName, features, labelling },
  });
}
