/** Says what was written, as the last lines of a text; nothing where nothing was. */
export function formatOutputs(outputs: readonly string[]): string {
  return outputs.length === 0 ? "" : `\n\nWrote ${outputs.join(", ")}`;
}

/** A remark after a result, as a paragraph of its own; nothing where there is none. */
export function formatNote(note: string): string[] {
  return note === "" ? [] : [`\n\n${note}`];
}
