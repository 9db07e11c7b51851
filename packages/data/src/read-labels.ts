import type { DataSet } from "@isthmus/graph";

/** Number of examples whose labels are read at once. */
const CHUNK = 1024;

/** Reads the labels of all examples of a data set with one label for each. */
export function readLabels(data: DataSet): Int32Array {
  const all = new Int32Array(data.size);
  for (let begin = 0; begin < data.size; begin += CHUNK) {
    all.set(data.read(begin, Math.min(data.size, begin + CHUNK)).labels, begin);
  }
  return all;
}
