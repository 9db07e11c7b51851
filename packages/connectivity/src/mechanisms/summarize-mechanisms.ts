import { formatMeasure } from "@isthmus/findings";
import type { MechanismSet, MechanismsResult } from "./mechanisms-result.ts";

/** Summarizes the result: first whether networks are connected, then whether they are similar. */
export function summarizeMechanisms({
  sets,
  connected,
  similar,
  tolerance,
}: MechanismsResult): readonly string[] {
  const most = formatMeasure(tolerance, "error");
  const listed = (chosen: (set: MechanismSet) => boolean): string =>
    sets
      .filter(chosen)
      .map(({ name }) => name)
      .join(", ");
  const barriers = connected
    ? `There is no barrier of the error above ${most} on any of the data sets: the networks are connected.`
    : `There are barriers of the error above ${most} on: ${listed((set) => !set.connected)}. The networks are not mechanistically connected.`;
  const gaps = similar
    ? "They are as good as each other on all of them."
    : `One is better than the other on: ${listed(({ gap }) => gap > tolerance)}. They do not predict by the same mechanisms.`;
  return [barriers, gaps];
}
