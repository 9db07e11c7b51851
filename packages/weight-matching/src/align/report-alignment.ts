import type { MatchMethod } from "../match.ts";
import type { AlignProgress } from "./align.ts";

/** Words for the quantities by which each method matches. */
const NAMES: Readonly<Record<MatchMethod, string>> = {
  weight: "weights",
  activation: "activations",
  "straight-through": "weights that gradients pass through",
  learned: "units, rotating streams and heads",
};

/**
 * Returns a function that takes the progress of an alignment and passes the name of the current stage on,
 * with the share of it that is done if that is known.
 */
export function reportAlignment(
  method: MatchMethod | undefined,
  report: (stage: string, done?: number) => void,
): (progress: AlignProgress) => void {
  return ({ phase, share }) => {
    if (phase === "discovering") report("Discovering symmetries");
    else if (phase === "matching") report(`Matching by ${NAMES[method ?? "weight"]}`, share);
    else report("Verifying");
  };
}
