import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  DTYPES,
  fromFloat64Into,
  type Tensor,
} from "@isthmus/core";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import type { AlignedSpaces } from "./closed-form/closed-form.ts";
import { permuteFramed } from "./permute-framed.ts";
import { mixed, type Outside, type StreamFrame } from "./stream-frame.ts";
import { multiplied } from "./unit-factors.ts";

/** Function that transforms a network of the graph, under the graph's names; the result computes the same. */
export type NetworkTransform = (network: Checkpoint) => Promise<Checkpoint>;

/**
 * Creates the function that permutes, multiplies and mixes networks and gives their norms the gains of
 * network A, so that norms are equal all along a path to A, and their logits A's shifts. It computes in f64
 * and rounds each tensor once, to the type that it had; in memory.
 *
 * @param outside - gains and shifts that A has outside of the frame
 */
export function createTransform(
  architecture: SymmetricArchitecture,
  frame: StreamFrame,
  { alignment, factors, mixture }: Omit<AlignedSpaces, "placed">,
  outside: Outside,
): NetworkTransform {
  return async (network) => {
    const permuted = await permuteFramed(architecture, alignment, await frame.enter(network));
    const values = mixed(frame, multiplied(frame.units, permuted, factors), mixture);
    frame.leaveInPlace(values, outside);
    const tensors = new Map<string, Tensor>();
    for (const [name, { dtype, shape }] of network.tensors) {
      const changed = values.get(name);
      tensors.set(
        name,
        changed === undefined || !DTYPES[dtype].float
          ? await network.read(name)
          : createTensor(dtype, shape, fromFloat64Into(changed, dtype, allocateData(dtype, changed.length))),
      );
    }
    const made = createCheckpoint(tensors, network.metadata, `${network.source} (aligned)`);
    // The files of the network name the result, and must not be replaced by it.
    return { ...made, files: network.files };
  };
}
