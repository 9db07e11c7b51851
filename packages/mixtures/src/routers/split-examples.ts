import { OutOfRangeError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

/**
 * Splits examples into the first ones, and a share of them at the end.
 * @param share - share of the second part, in `(0, 1)`; it has at least one example
 * @throws OutOfRangeError if there are less than two examples
 */
export function splitExamples(
  data: DataSet,
  share: number,
): { readonly fitted: DataSet; readonly held: DataSet } {
  if (data.size < 2) {
    throw new OutOfRangeError(
      `Cannot split "${data.name}" as it must have at least two examples, of which one is held: it has ${data.size}; give more text`,
    );
  }
  const count = Math.min(data.size - 1, Math.max(1, Math.round(data.size * share)));
  const first = data.size - count;
  const { gatherInto: _, ...all } = data;
  return {
    fitted: { ...all, size: first, read: (begin, end) => data.read(begin, end) },
    held: { ...all, size: count, read: (begin, end) => data.read(begin + first, end + first) },
  };
}
