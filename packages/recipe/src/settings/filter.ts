import { matchesGlob } from "@isthmus/core";
import { compileExpression } from "@isthmus/merging";

/**
 * Makes the test of a filter: a text that is part of the name; where it has `*` or `?`, a pattern for the
 * whole name; between slashes, a regular expression.
 * @throws InputError if it is a regular expression that is none, or one without a bound on its time
 */
export function compileFilter(filter: string): (name: string) => boolean {
  const [, expression, flags = ""] = /^\/(.+)\/([iu]*)$/.exec(filter) ?? [];
  if (expression !== undefined) return compileExpression(expression, { ignoreCase: flags.includes("i") });
  if (/[*?]/.test(filter)) return (name) => matchesGlob(filter, name);
  return (name) => name.includes(filter);
}
