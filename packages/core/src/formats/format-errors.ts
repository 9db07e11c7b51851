import { FormatError } from "../errors.ts";

/**
 * Makes the function that returns errors of files which break a rule of their format.
 *
 * A source is the name of a file or has one; a problem is the rule and what the file has: `the header must
 * fit the file: it claims 99 bytes of 50`.
 */
export function formatErrors(
  format: string,
): (source: string | { readonly name: string }, problem: string) => FormatError {
  return (source, problem) => {
    const name = typeof source === "string" ? source : source.name;
    return new FormatError(`Cannot read "${name}" as ${problem}`, { format });
  };
}
