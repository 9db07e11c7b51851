import { type Checkpoint, describeDequantized } from "@isthmus/core";
import type { Context } from "../verb.ts";

/** Notes on standard error which networks are read as other numbers than their files hold. */
export function noteDequantized(
  networks: readonly Checkpoint[],
  { terminal }: Pick<Context, "terminal">,
): void {
  for (const line of new Set(networks.flatMap(describeDequantized))) terminal.note(line);
}
