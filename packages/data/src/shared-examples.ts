import { resolve } from "@isthmus/platform";
import type { DataSetName } from "./kinds/data-kind.ts";
import { parseDataSetName } from "./parse-data-set-name.ts";

/** Range of the examples that two names have in common. */
export interface SharedExamples {
  /** Number of the first common example, from 1. */
  readonly first: number;
  /** Number of the last common example; absent if the range extends to the end. */
  readonly last?: number;
}

/**
 * Finds the examples that two names have in common, by the parts of the names: the same source, the same
 * split, and ranges that overlap; cues do not count. Other names of the same examples are not recognised,
 * such as a copy of a file.
 * @returns undefined if the names have no examples in common
 * @throws InputError if there is no such data set
 */
export function sharedExamples(name: string, other: string): SharedExamples | undefined {
  const [one, two] = [parseDataSetName(name), parseDataSetName(other)];
  if (sourceOf(one) !== sourceOf(two)) return;
  const first = 1 + Math.max(one.skip ?? 0, two.skip ?? 0);
  const last = Math.min(lastOf(one), lastOf(two));
  if (first > last) return;
  return { first, ...(Number.isFinite(last) && { last }) };
}

const lastOf = ({ limit }: DataSetName): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);

/**
 * Returns a text that identifies the source of a name: kind and first path, as other paths are labels, and
 * the split if there are any.
 */
function sourceOf({ kind, paths: [path], split }: DataSetName): string {
  return JSON.stringify([kind.name, path && resolve(path), kind.splits.length > 0 && split]);
}
