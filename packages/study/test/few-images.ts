import { createTensor } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/** Eight images `[1, 2, 2]` of two classes; `shade` changes what is in them. */
export function fewImages(name: string, shade = 0): DataSet {
  const pixels = Float32Array.from({ length: 32 }, (_, i) => ((i * 7 + shade) % 11) / 11);
  return {
    name,
    size: 8,
    exampleShape: [1, 2, 2],
    classes: 2,
    read: (begin, end) => ({
      inputs: createTensor("f32", [end - begin, 1, 2, 2], pixels.slice(4 * begin, 4 * end)),
      labels: Int32Array.from({ length: end - begin }, (_, i) => (begin + i) % 2),
    }),
  };
}
