import {
  asFloat32,
  at,
  type Checkpoint,
  defineCheckpoint,
  entry,
  InputError,
  MismatchError,
  OutOfRangeError,
  type TensorInfo,
} from "@isthmus/core";

/**
 * Returns a network, lazily, whose weights are multiplied by the roots of their importance: inner products of
 * such networks count each weight by how much both networks know of it.
 *
 * @param importance - tensors of the names and shapes of the network's, of numbers of at least 0; weights
 *   that it lacks are unchanged
 * @throws MismatchError if a tensor has another shape than the weight
 * @returns a checkpoint of f32; reading an importance that is negative or not finite throws an InputError
 */
function weighByImportance(network: Checkpoint, importance: Checkpoint): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { shape }] of network.tensors) {
    const of = importance.tensors.get(name)?.shape ?? shape;
    if (`${of}` !== `${shape}`) {
      throw new MismatchError(
        `Cannot weigh "${name}" of "${network.source}" as its importance must have its shape: it is [${shape}], and [${of}] in "${importance.source}"`,
        { parameters: [name] },
      );
    }
    tensors.set(name, { dtype: "f32", shape });
  }
  return defineCheckpoint({
    source: network.source,
    tensors,
    inputs: [network, importance],
    async readInto(name, begin, out) {
      const read = async (from: Checkpoint) => {
        const { dtype } = entry(from.tensors, name, "weight");
        return asFloat32(await from.readRange(name, begin, begin + out.length), dtype);
      };
      const values = out as Float32Array;
      values.set(await read(network));
      if (!importance.tensors.has(name)) return;
      const counts = await read(importance);
      counts.forEach((count, i) => {
        if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) {
          throw new InputError(
            `Cannot weigh "${name}" of "${network.source}" as its importance must be finite and at least 0: it is ${count} in "${importance.source}"`,
            { input: importance.source },
          );
        }
        values[i] = (values[i] as number) * Math.sqrt(count);
      });
    },
  });
}

/**
 * Weighs each of several networks by the importance of its weights, see {@link weighByImportance}.
 * @throws OutOfRangeError if there is not one for each
 */
export function weighAll(networks: readonly Checkpoint[], importance: readonly Checkpoint[]): Checkpoint[] {
  if (importance.length !== networks.length) {
    throw new OutOfRangeError(
      `Cannot match networks by importance as there must be one for each: got ${importance.length} for ${networks.length}`,
    );
  }
  return networks.map((network, i) => weighByImportance(network, at(importance, i, "importance")));
}
