import { assertWholeOptions } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";

/**
 * The first examples of a data set, or all if there are no more.
 * @throws RangeError if `examples` is not a whole number of at least 1
 */
export function limitExamples(attempt: string, data: DataSet, examples: number): DataSet {
  assertWholeOptions(attempt, { examples }, { examples: 1 });
  return examples >= data.size
    ? data
    : { ...data, size: examples, read: (begin, end) => data.read(begin, end) };
}
