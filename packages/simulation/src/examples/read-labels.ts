import { InputError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/** Number of examples that are read at once. */
const CHUNK = 1000;

/** Returns whether each example of a data set has a class. */
export function haveClasses({ labelling = "example", classes }: DataSet): boolean {
  return labelling === "example" && classes > 0;
}

/**
 * Reads the class of every example of a data set.
 * @throws InputError if labels are not classes, or belong to positions instead of examples, or a label is
 * below 0
 */
export function readLabels(data: DataSet): Int32Array {
  if (!haveClasses(data)) {
    const { unlabelled = "labels are of positions" } = data;
    throw new InputError(
      `Cannot divide "${data.name}" over clients by classes as each example must have one label: ${unlabelled}; iid and feature-shift divide any examples`,
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
