import type { Document, YAMLError, YAMLWarning } from "yaml";

/**
 * Finds the first mistake in a YAML text: an error of its form, or a tag that YAML does not define, such as
 * `!reference`, which the parser would pass over so that the value is read as a text.
 *
 * @param documents - the parsed documents of the text
 * @returns the mistake with its offset in the text; `undefined` if the text has none
 */
export function findYamlError(documents: readonly Document[]): YAMLError | YAMLWarning | undefined {
  return documents.flatMap(({ errors, warnings }) => [
    ...errors,
    ...warnings.filter(({ code }) => code === "TAG_RESOLVE_FAILED"),
  ])[0];
}
