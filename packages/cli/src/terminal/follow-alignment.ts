import type { AlignOptions, MatchMethod } from "@isthmus/weight-matching";
import type { Context } from "../verb.ts";

/** Words for the quantities by which each method matches, for the progress bar. */
const NAMES: Readonly<Record<MatchMethod, string>> = {
  weight: "weights",
  activation: "activations",
  "straight-through": "weights that gradients pass through",
  learned: "units, rotating streams and heads",
};

/**
 * Returns the options that show the progress of an alignment in the terminal, note its warnings there, and
 * stop it with the command.
 */
export function followAlignment(
  method: MatchMethod,
  { progress, signal, terminal }: Pick<Context, "progress" | "signal" | "terminal">,
): Pick<AlignOptions, "onProgress" | "onNote" | "signal"> {
  return {
    signal,
    onNote: (text) => terminal.note(`${text}.`),
    onProgress({ phase, share }) {
      if (phase === "discovering") progress("Discovering symmetries");
      else if (phase === "matching") progress(`Matching by ${NAMES[method]}`, share);
      else progress("Verifying");
    },
  };
}
