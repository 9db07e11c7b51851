/** Formats the names of the files that were written, as the end of a text; empty if there are none. */
export function formatOutputs(outputs: readonly string[]): string {
  return outputs.length === 0 ? "" : `\n\nWrote ${outputs.join(", ")}`;
}

/** Formats a remark after a result as a paragraph of its own; the list is empty for an empty remark. */
export function formatNote(note: string): string[] {
  return note === "" ? [] : [`\n\n${note}`];
}
