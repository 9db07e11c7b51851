import { parseDataSetName } from "./parse-data-set-name.ts";
import type { Split } from "./splits.ts";

/**
 * Finds the splits of a named data set; empty if its files are one set, or are named by the user for each
 * split.
 * @throws InputError if there is no such data set
 */
export async function findSplits(name: string): Promise<readonly Split[]> {
  const parsed = parseDataSetName(name);
  return (await parsed.kind.findSplits?.(parsed)) ?? [];
}

/**
 * Checks whether the examples of a named data set may be texts, which the tokenizer of a model splits into
 * tokens.
 * @throws InputError if there is no such data set
 */
export function mayBeText(name: string): boolean {
  return parseDataSetName(name).kind.isText ?? false;
}
