import { type Checkpoint, InputError, OutOfRangeError, type Tensor, withTensors } from "@isthmus/core";

/**
 * Masks of weights by name: 1 for each element that stays and 0 for each that is pruned, in the order of the
 * elements. Weights without a mask are not pruned.
 */
export type Masks = ReadonlyMap<string, Uint8Array>;

/**
 * Returns a network whose masked elements are zero, lazily.
 * @throws InputError if the network lacks a weight
 * @throws OutOfRangeError if a mask and its weight have different numbers of elements
 */
export async function applyMasks(network: Checkpoint, masks: Masks): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const [name, mask] of masks) {
    if (!network.tensors.has(name)) {
      throw new InputError(
        `Cannot apply masks to "${network.source}" as it must have each masked weight: it has no "${name}"`,
        { input: network.source },
      );
    }
    const tensor = await network.read(name);
    const masked = { ...tensor, data: tensor.data.slice() };
    maskInPlace(name, masked, mask);
    tensors.set(name, masked);
  }
  return withTensors(network, tensors);
}

/**
 * Replaces the elements of a weight that a mask prunes by zeros, in place.
 * @throws OutOfRangeError if the mask and the weight have different numbers of elements
 */
export function maskInPlace(name: string, { data }: Pick<Tensor, "data">, mask: Uint8Array): void {
  if (mask.length !== data.length) {
    throw new OutOfRangeError(
      `Cannot mask "${name}" as its mask must have an element for each of its: ${mask.length} for ${data.length}`,
    );
  }
  const values = data as Float32Array;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 0) values[i] = 0;
}

/** Counts the elements of a mask that are pruned. */
export function countPruned(mask: Uint8Array): number {
  let pruned = 0;
  for (const stays of mask) pruned += 1 - stays;
  return pruned;
}

/**
 * Checks that at least one element of each weight stays.
 * @throws InputError if all elements of a weight are pruned
 */
export function assertNoneEmpty(attempt: string, masks: Masks): void {
  for (const [name, mask] of masks) {
    if (mask.includes(1)) continue;
    throw new InputError(
      `Cannot ${attempt} as an element of each weight must stay: none of the ${mask.length} of "${name}" does; prune less, by layer, or leave the weight out`,
      { input: name },
    );
  }
}
