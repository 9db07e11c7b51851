import { assertLabelled, type DataSet } from "@isthmus/graph";

/** Number of labels that are read at a time; it is limited as the inputs are read with them. */
const LABELS_AT_ONCE = 1000;

/**
 * Reads the labels of all examples, in their order.
 * @throws InputError if labels are not classes
 */
export function readLabels(data: DataSet): Int32Array {
  assertLabelled("judge predictions", data);
  const labels = new Int32Array(data.size);
  for (let begin = 0; begin < data.size; begin += LABELS_AT_ONCE) {
    labels.set(data.read(begin, Math.min(begin + LABELS_AT_ONCE, data.size)).labels, begin);
  }
  return labels;
}
