import { UsageError } from "@isthmus/core";
import type { GateMode } from "./gate-mode.ts";
import { cheapEmbed } from "./gates/cheap-embed.ts";
import { hiddenAverage, hiddenLast } from "./gates/hidden.ts";
import { normalGates, uniformGates } from "./gates/random.ts";

/** All ways to make the weights of routers. */
export const GATE_MODES: readonly GateMode[] = [
  hiddenLast,
  hiddenAverage,
  cheapEmbed,
  normalGates,
  uniformGates,
];

/**
 * Returns the mode of a name.
 * @throws UsageError if there is no such mode
 */
export function findGateMode(name: string): GateMode {
  const mode = GATE_MODES.find((one) => one.name === name || one.also?.includes(name));
  if (mode !== undefined) return mode;
  throw new UsageError(
    `Cannot make gates by "${name}" as gate_mode must be one of ${GATE_MODES.map((one) => one.name).join(", ")}`,
  );
}
