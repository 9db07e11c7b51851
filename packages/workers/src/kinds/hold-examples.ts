import { createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/**
 * Largest size, in bytes of f32, of a data set that is held in memory: twice the training images of MNIST, in
 * every thread.
 */
const MOST_BYTES = 400e6;

/**
 * Returns a data set with its bytes scaled once and for all, as tasks read them hundreds of times, and for
 * small networks scaling takes as long as learning. A data set without bytes to scale, or a large one, is
 * returned unchanged.
 */
export function holdExamples(data: DataSet): DataSet {
  const { name, classes, size, exampleShape, scaling, inputName, labelling, unlabelled, targets } = data;
  if (scaling === undefined || 4 * size * sizeOf(exampleShape) > MOST_BYTES) return data;
  const { inputs, labels, features = new Map<string, Tensor>() } = data.read(0, size);
  const perExample = labels.length / size;
  const ofPositions = perExample === 0 ? undefined : createTensor("i32", [size, perExample], labels);
  const labelled = perExample === 1 ? labels : ofPositions;
  const held = createDataSet(createTensor("f32", inputs.shape, inputs.data as Float32Array), labelled, {
    name,
    classes,
    inputName,
    features,
    labelling,
  });
  // Attacks are measured in pixels, and need to know how these were scaled.
  return {
    ...held,
    scaling,
    ...(unlabelled === undefined ? {} : { unlabelled }),
    ...(targets && { targets }),
  };
}
