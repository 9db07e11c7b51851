import { InputError } from "@isthmus/core";
import { assertLabelled, type DataSet } from "@isthmus/graph";

/** Examples read at once. */
const CHUNK = 1000;

/**
 * Reads the class of every example of a data set.
 * @throws InputError if labels are no classes, or of positions and not of examples, or one is below 0
 */
export function readLabels(data: DataSet): Int32Array {
  assertLabelled("divide examples over clients", data);
  if ((data.labelling ?? "example") !== "example") {
    throw new InputError(
      `Cannot divide "${data.name}" over clients as each example must have one label: labels are of positions`,
      { input: data.name },
    );
  }
  const labels = new Int32Array(data.size);
  for (let begin = 0; begin < data.size; begin += CHUNK) {
    labels.set(data.read(begin, Math.min(begin + CHUNK, data.size)).labels, begin);
  }
  const negative = labels.findIndex((label) => label < 0);
  if (negative >= 0) {
    throw new InputError(
      `Cannot divide "${data.name}" over clients as labels must be at least 0: that of example ${negative} is ${labels[negative]}`,
      { input: data.name },
    );
  }
  return labels;
}
