import type { AlignOptions, MatchMethod } from "@isthmus/weight-matching";
import type { Context } from "../verb.ts";

/** What methods match by, for progress. */
const NAMES: Readonly<Record<MatchMethod, string>> = {
  weight: "weights",
  activation: "activations",
  "straight-through": "weights that gradients pass through",
};

/** Returns the options by which an alignment shows its progress in the terminal, and stops when the command is stopped. */
export function followAlignment(
  method: MatchMethod,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Pick<AlignOptions, "onProgress" | "signal"> {
  return {
    signal,
    onProgress({ phase, share }) {
      if (phase === "discovering") progress("Discovering symmetries");
      else if (phase === "matching") progress(`Matching by ${NAMES[method]}`, share);
      else progress("Verifying");
    },
  };
}
