import { type Importance, readImportance } from "@isthmus/core";
import type { Context } from "../verb.ts";

/** Options of verbs that write quantised GGUF files. */
export interface QuantizingOptions {
  /** File of an importance matrix. @defaultValue none */
  readonly imatrix?: string | undefined;
}

/** Reads what the options name for the quantisation of a GGUF file, and tells its notes on standard error. */
export async function quantizingOf(
  { imatrix }: QuantizingOptions,
  { terminal }: Context,
): Promise<{ readonly importance: Importance | undefined; readonly onNote: (note: string) => void }> {
  return {
    importance: imatrix === undefined ? undefined : await readImportance(imatrix),
    onNote: (note) => terminal.note(note),
  };
}
