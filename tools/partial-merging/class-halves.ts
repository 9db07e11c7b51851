import type { Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/**
 * Selects the examples of some classes of a data set, in their order; the number of classes stays.
 * @param limit - most examples, from the first
 */
export function selectClasses(data: DataSet, classes: readonly number[], limit = data.size): DataSet {
  const { inputs, labels } = data.read(0, data.size);
  const places = [...labels.keys()].filter((i) => classes.includes(labels[i] as number)).slice(0, limit);
  const row = inputs.data.length / data.size;
  const selected = new Float32Array(places.length * row);
  places.forEach((place, i) => {
    selected.set((inputs.data as Float32Array).subarray(place * row, (place + 1) * row), i * row);
  });
  const tensor: Tensor = {
    dtype: "f32",
    shape: [places.length, ...data.exampleShape],
    data: selected,
  };
  return createDataSet(
    tensor,
    Int32Array.from(places, (place) => labels[place] as number),
    {
      name: `${data.name} of classes ${classes.join(",")}`,
      classes: data.classes,
    },
  );
}
