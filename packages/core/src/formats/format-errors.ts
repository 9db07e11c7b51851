import { FormatError } from "../errors.ts";

/**
 * Makes a function that returns errors for files that violate a rule of their format.
 *
 * A source is the name of a file or has one; a problem states the rule and the violation:
 * `the header must fit the file: it claims 99 bytes of 50`.
 */
export function formatErrors(
  format: string,
): (source: string | { readonly name: string }, problem: string) => FormatError {
  return (source, problem) => {
    const name = typeof source === "string" ? source : source.name;
    return new FormatError(`Cannot read "${name}" as ${problem}`, { format });
  };
}
