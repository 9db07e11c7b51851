import { blendInto, type Checkpoint, defineCheckpoint } from "@isthmus/core";
import { type Alignment, permute, type SymmetrySpec } from "@isthmus/symmetry";

/** A network, and the alignment that permutes it into the universe. */
export interface PlacedNetwork {
  /** Its parameters as f32. */
  readonly network: Checkpoint;
  /** Alignment that permutes it into the universe. */
  readonly alignment: Alignment;
}

/**
 * Adds up networks in the universe, lazily: a tensor is permuted and added up when it is read, in the order
 * of the networks.
 *
 * @param placed - at least one network, all of f32 tensors of the same names and shapes
 */
export function sumPermuted(placed: readonly PlacedNetwork[], spec: SymmetrySpec): Checkpoint {
  const terms = placed.map(({ network, alignment }) => permute(alignment, network, spec));
  const [first, ...others] = terms as [Checkpoint, ...Checkpoint[]];
  return defineCheckpoint({
    source: placed.length === 1 ? first.source : `the sum of ${placed.length} aligned networks`,
    tensors: first.tensors,
    inputs: terms,
    async readInto(name, begin, out) {
      await first.readRangeInto(name, begin, out);
      const sum = { dtype: "f32" as const, data: out };
      const term = { dtype: "f32" as const, data: new Float32Array(out.length) };
      for (const other of others) {
        await other.readRangeInto(name, begin, term.data);
        blendInto([sum, term], [1, 1], sum);
      }
    },
  });
}
