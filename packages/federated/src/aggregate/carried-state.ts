import {
  type Checkpoint,
  DTYPES,
  defineCheckpoint,
  entry,
  MismatchError,
  sameShape,
  type TensorInfo,
} from "@isthmus/core";

/** Name of the state that is the aggregate of the round before, for rules that carry it. */
export const CARRIED = "aggregate";

/** Returns the name under which a state of a tensor is kept, `momentum/conv.weight`. */
export const stateName = (state: string, tensor: string): string => `${state}/${tensor}`;

/**
 * Returns one state, such as the momentum, of all floating-point tensors, under the tensors' names and in
 * f32; all elements are 0 before the first round.
 */
export function stateOf(network: Checkpoint, states: Checkpoint | undefined, state: string): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { dtype, shape }] of network.tensors) {
    if (DTYPES[dtype].float) tensors.set(name, { dtype: "f32", shape });
  }
  return defineCheckpoint({
    source: states === undefined ? "no state" : states.source,
    tensors,
    inputs: states === undefined ? [] : [states],
    async readInto(name, begin, out) {
      const stored = stateName(state, name);
      const info = states?.tensors.get(stored);
      if (states === undefined || info === undefined) {
        out.fill(0 as never);
        return;
      }
      if (info.dtype !== "f32" || !sameShape(info.shape, entry(tensors, name, "tensor").shape)) {
        throw new MismatchError(
          `Cannot go on from state "${stored}" of "${states.source}" as it must be f32 of the shape of the tensor: it was written for another network`,
          { parameters: [stored] },
        );
      }
      await states.readRangeInto(stored, begin, out);
    },
  });
}

/** Returns the aggregate of the round before, 0 in the first round. */
export const carriedState = (network: Checkpoint, states: Checkpoint | undefined): Checkpoint =>
  stateOf(network, states, CARRIED);
