import { type Importance, readImportance } from "@isthmus/core";
import type { Context } from "../verb.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Options of verbs that write quantised GGUF files. */
export type QuantizingOptions = {
  /** File of an importance matrix. @defaultValue none */
  readonly imatrix?: string | undefined;
};

/** Adds the option that names an importance matrix. */
export const addImportanceOption: AddOptions<QuantizingOptions> = optionGroup((command) => {
  command.option(
    "--imatrix <file>",
    "for encodings of GGUF: importance of columns, as llama-imatrix measures it (.gguf or .dat)",
  );
});

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
