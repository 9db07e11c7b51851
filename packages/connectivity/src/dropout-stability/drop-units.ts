import { type Checkpoint, DTYPES, defineCheckpoint, entry, fromFloat32Into, toFloat32 } from "@isthmus/core";
import { positionIn } from "@isthmus/symmetry/layout";
import type { LayerRemainder } from "./choose-units.ts";

/** Factor at each position of one axis of a weight. */
interface AxisFactors {
  readonly factors: Float64Array;
  readonly positionOf: (element: number) => number;
}

/**
 * Returns a network without some of its hidden units: weights that read these units are 0, and weights that
 * read the other units are multiplied by the factor of their layer. The result is lazy: a tensor is changed
 * when it is read.
 *
 * @throws InvariantError if a layer reads a tensor that the checkpoint does not have
 */
export function dropUnits(network: Checkpoint, remainders: readonly LayerRemainder[]): Checkpoint {
  const changes = new Map<string, AxisFactors[]>();
  for (const { layer, stays, factor } of remainders) {
    for (const { tensor, view, axis, units } of layer.reads) {
      entry(network.tensors, tensor, "tensor");
      const factors = Float64Array.from(units, (unit) => (unit < 0 ? 1 : stays[unit] === 1 ? factor : 0));
      const change = { factors, positionOf: positionIn(view, [axis]) };
      changes.set(tensor, [...(changes.get(tensor) ?? []), change]);
    }
  }
  return defineCheckpoint({
    source: `${network.source} (units taken out)`,
    tensors: network.tensors,
    metadata: network.metadata,
    inputs: [network],
    async readInto(name, begin, out) {
      await network.readRangeInto(name, begin, out);
      const ofTensor = changes.get(name);
      const { dtype } = entry(network.tensors, name, "tensor");
      if (ofTensor === undefined || !DTYPES[dtype].float) return;
      const isPlain = out instanceof Float32Array || out instanceof Float64Array;
      const values = isPlain ? out : toFloat32(out, dtype);
      for (const { factors, positionOf } of ofTensor) {
        for (let i = 0; i < values.length; i++) {
          values[i] = (values[i] as number) * (factors[positionOf(begin + i)] as number);
        }
      }
      if (!isPlain) fromFloat32Into(values as Float32Array, dtype, out);
    },
  });
}
