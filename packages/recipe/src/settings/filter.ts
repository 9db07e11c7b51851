import { matchesGlob } from "@isthmus/core";
import { compileExpression } from "@isthmus/merging";

/**
 * Makes the test of a filter for names. A filter is part of the name, a pattern for the whole name if it has
 * `*` or `?`, or a regular expression if it is between slashes.
 * @throws InputError if the regular expression is invalid, or its time has no bound
 */
export function compileFilter(filter: string): (name: string) => boolean {
  const [, expression, flags = ""] = /^\/(.+)\/([iu]*)$/.exec(filter) ?? [];
  if (expression !== undefined) return compileExpression(expression, { ignoreCase: flags.includes("i") });
  if (/[*?]/.test(filter)) return (name) => matchesGlob(filter, name);
  return (name) => name.includes(filter);
}
