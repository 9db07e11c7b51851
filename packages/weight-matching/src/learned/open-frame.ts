import type { Checkpoint } from "@isthmus/core";
import {
  type DroppedMixture,
  discoverContinuous,
  leaveOutMixtures,
  type MixingGroup,
  proveMixtures,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import { findMovableUnits } from "./learning/find-movable-units.ts";
import type { MatchLearnedOptions } from "./match-learned-options.ts";
import { createStreamFrame, type StreamFrame } from "./stream-frame.ts";

/** A frame, and the mixtures that it leaves out. */
interface OpenedFrame {
  readonly frame: StreamFrame;
  readonly dropped: readonly DroppedMixture[];
}

/**
 * Discovers which spaces may be mixed, proves their mixtures on both networks, and prepares the frame in
 * which spaces are mixed. Mixtures that do not hold, such as of a stream whose norm has a gain of 0, are left
 * out, with a note.
 */
export async function openFrame(
  { graph, engine, symmetries }: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  options: Pick<MatchLearnedOptions, "heads" | "units" | "seed" | "signal" | "onNote">,
): Promise<OpenedFrame> {
  const { heads, units, seed, signal, onNote } = options;
  const { linear, exchanges, ...rest } = await discoverContinuous({ graph, engine }, symmetries, { signal });
  const dropped: DroppedMixture[] = [];
  let { mixing } = rest;
  for (const weights of networks) {
    const group = { permutations: symmetries, linear, mixing };
    const proof = await proveMixtures({ graph, engine }, group, { seed, weights, signal });
    dropped.push(...proof.dropped);
    mixing = leaveOutMixtures(
      mixing,
      proof.dropped.map(({ name }) => name),
    );
  }
  for (const { name, reason } of dropped) onNote?.(`${name} is not mixed, as that does not hold: ${reason}`);
  const spaces = mixing.spaces.map((space) =>
    heads === "orthogonal" ? { ...space, group: lengthKeeping(space.group) } : space,
  );
  const frame = createStreamFrame(graph, { linear, exchanges, mixing: { ...mixing, spaces } });
  const movable = units === "fixed" ? [] : findMovableUnits(symmetries.spec, frame);
  return { frame: { ...frame, movable }, dropped };
}

/** Returns the matrices of a group that keep lengths. */
function lengthKeeping(group: MixingGroup): MixingGroup {
  if (group === "invertible") return "orthogonal";
  return group === "complex" ? "unit-complex" : group;
}
