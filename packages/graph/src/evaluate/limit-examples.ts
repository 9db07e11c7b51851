import type { DataSet } from "../data-set.ts";

/**
 * The first examples of a data set, or all if there are no more.
 * @throws RangeError if `examples` is not a whole number of at least 1
 */
export function limitExamples(attempt: string, data: DataSet, examples: number): DataSet {
  if (!Number.isSafeInteger(examples) || examples < 1) {
    throw new RangeError(
      `Cannot ${attempt} as examples must be a whole number of at least 1: got ${examples}`,
    );
  }
  return examples >= data.size
    ? data
    : { ...data, size: examples, read: (begin, end) => data.read(begin, end) };
}
