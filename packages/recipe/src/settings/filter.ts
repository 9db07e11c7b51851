import { matchesGlob } from "@isthmus/core";

/**
 * Makes the test of a filter: a text that is part of the name; where it has `*` or `?`, a pattern for the
 * whole name; between slashes, a regular expression.
 * @throws SyntaxError if it is a regular expression that is none
 */
export function compileFilter(filter: string): (name: string) => boolean {
  const [, expression, flags] = /^\/(.+)\/([iu]*)$/.exec(filter) ?? [];
  if (expression !== undefined) {
    const compiled = new RegExp(expression, flags);
    return (name) => compiled.test(name);
  }
  if (/[*?]/.test(filter)) return (name) => matchesGlob(filter, name);
  return (name) => name.includes(filter);
}
