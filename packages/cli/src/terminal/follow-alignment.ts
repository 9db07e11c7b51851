import { type AlignOptions, type MatchMethod, reportAlignment } from "@isthmus/weight-matching";
import type { Context } from "../verb.ts";

/**
 * Returns the options that show the progress of an alignment in the terminal, note its warnings there, and
 * stop it with the command.
 */
export const followAlignment = (
  method: MatchMethod,
  { progress, signal, terminal }: Pick<Context, "progress" | "signal" | "terminal">,
): Pick<AlignOptions, "onProgress" | "onNote" | "signal"> => ({
  signal,
  onNote: (text) => terminal.note(`${text}.`),
  onProgress: reportAlignment(method, progress),
});
