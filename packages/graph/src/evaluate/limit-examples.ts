import { assertWholeOptions } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";

/**
 * Limits a data set to its first examples, which its name then says, as `mnist:test@1000`; all are taken if there are no more.
 * @throws RangeError if `examples` is not a whole number of at least 1
 */
export function limitExamples(attempt: string, data: DataSet, examples: number): DataSet {
  assertWholeOptions(attempt, { examples }, { examples: 1 });
  if (examples >= data.size) return data;
  const name = `${data.name.replace(/@\d+$/, "")}@${examples}`;
  return { ...data, name, size: examples, read: (begin, end) => data.read(begin, end) };
}
