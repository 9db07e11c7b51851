/** Says what was written, as the last lines of a text; nothing where nothing was. */
export function formatOutputs(outputs: readonly string[]): string {
  return outputs.length === 0 ? "" : `\n\nWrote ${outputs.join(", ")}`;
}
