import { assertWholeOptions } from "@isthmus/core";
import type { DataSet } from "../data-set.ts";

/**
 * Limits a data set to its first examples and adds their number to its name, as in `mnist:test@1000`; returns
 * the data set itself if it has no more examples.
 * @throws OutOfRangeError if `examples` is not a whole number of at least 1
 */
export function limitExamples(attempt: string, data: DataSet, examples: number): DataSet {
  assertWholeOptions(attempt, { examples }, { examples: 1 });
  if (examples >= data.size) return data;
  const [, source = data.name, from] = /^(.*?)(?:@(?:(\d+)\.\.)?\d+)?$/s.exec(data.name) ?? [];
  const count = from === undefined ? examples : `${from}..${Number(from) + examples - 1}`;
  const name = `${source}@${count}`;
  return { ...data, name, size: examples, read: (begin, end) => data.read(begin, end) };
}
