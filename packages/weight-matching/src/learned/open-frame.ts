import { discoverContinuous, type MixingGroup, type SymmetricArchitecture } from "@isthmus/symmetry";
import { findMovableUnits } from "./learning/find-movable-units.ts";
import type { MatchLearnedOptions } from "./match-learned-options.ts";
import { createStreamFrame, type StreamFrame } from "./stream-frame.ts";

/** Discovers what may be mixed, and prepares the frame in which it is. */
export async function openFrame(
  { graph, engine, symmetries }: SymmetricArchitecture,
  { heads, units, signal }: Pick<MatchLearnedOptions, "heads" | "units" | "signal">,
): Promise<StreamFrame> {
  const { mixing, ...others } = await discoverContinuous({ graph, engine }, symmetries, { signal });
  const spaces = mixing.spaces.map((space) =>
    heads === "orthogonal" ? { ...space, group: lengthKeeping(space.group) } : space,
  );
  const frame = createStreamFrame(graph, { ...others, mixing: { ...mixing, spaces } });
  return units === "fixed" ? frame : { ...frame, movable: findMovableUnits(symmetries.spec, frame) };
}

/** Returns the matrices of a group that keep lengths. */
function lengthKeeping(group: MixingGroup): MixingGroup {
  if (group === "invertible") return "orthogonal";
  return group === "complex" ? "unit-complex" : group;
}
