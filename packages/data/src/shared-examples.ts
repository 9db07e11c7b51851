import { resolve } from "node:path";
import { type DataSetName, parseDataSetName } from "./parse-data-set-name.ts";

/** Examples that two names have in common, counted from 1; the last is absent if it is the last there is. */
export interface SharedExamples {
  readonly first: number;
  readonly last?: number;
}

/**
 * Finds the examples that two names have in common, by what the names say: the same source, the same split,
 * and ranges that overlap; cues do not count. Other names of the same examples are not recognised, such as a
 * copy of a file.
 * @returns undefined if they say that there are none
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

function sourceOf(parsed: DataSetName): string {
  const { kind, split } = parsed;
  switch (kind) {
    case "mnist":
    case "fashion-mnist":
      return JSON.stringify([kind, parsed.folder && resolve(parsed.folder), split]);
    case "idx": // A pair of files has no splits.
      return JSON.stringify([kind, resolve(parsed.images)]);
    case "tokens":
      return JSON.stringify([kind, resolve(parsed.file)]);
    default:
      return JSON.stringify([kind, resolve(parsed.file), split]);
  }
}
