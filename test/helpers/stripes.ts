import { createRandom, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";

/** Images `[1, 4, 4]` of 3 classes: a bright row of pixels, in noise. */
export function stripes(size: number, seed = 0): DataSet {
  const random = createRandom(seed, "stripes");
  const labels = Int32Array.from({ length: size }, () => random.integer(3));
  const pixels = Uint8Array.from({ length: 16 * size }, (_, i) => {
    const [example, row] = [Math.floor(i / 16), Math.floor((i % 16) / 4)];
    return (row === labels[example] ? 150 : 0) + random.integer(100);
  });
  return createDataSet(createTensor("u8", [size, 4, 4], pixels), labels, { name: "stripes", classes: 3 });
}
