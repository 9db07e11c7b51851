import { type Checkpoint, DTYPES, defineCheckpoint, fromFloat64Into, toFloat64 } from "@isthmus/core";
import type { Correspondence, MovedWeight } from "./correspond.ts";
import { mixInto } from "./kernels/mix.ts";
import { transportWeight } from "./transport-weight.ts";
import type { UnitPlans } from "./unit-plans.ts";

/** Two networks, and the plans between them. */
export interface FusedPair {
  /** Network whose weights are transported. */
  readonly source: Checkpoint;
  /** Network whose names, shapes and units the result has. */
  readonly target: Checkpoint;
  /** Corresponding units and weights of both architectures. */
  readonly correspondence: Correspondence;
  /** Plans of the symmetries, and the transports of all families that follow from them. */
  readonly plans: UnitPlans;
}

/**
 * Defines the network `weight * transported source + (1 - weight) * target`, which has the names, shapes and
 * element types of the target. Lazy: a tensor is computed when it is read, in f64, and rounded once. Tensors
 * other than floating-point weights of the graph are copied from the target.
 */
export function fusedCheckpoint(pair: FusedPair, weight: number): Checkpoint {
  const { source, target, correspondence } = pair;
  // A tensor is read range by range, and all of its ranges are parts of one result.
  let latest: { readonly name: string; readonly values: Promise<Float64Array> } | undefined;
  return defineCheckpoint({
    source: `${source.source} fused into ${target.source}`,
    tensors: target.tensors,
    metadata: target.metadata,
    inputs: [source, target],
    async readInto(name, begin, out) {
      const moved = correspondence.weights.get(name);
      const dtype = target.tensors.get(name)?.dtype;
      if (moved === undefined || dtype === undefined || !DTYPES[dtype].float) {
        await target.readRangeInto(name, begin, out);
        return;
      }
      if (latest?.name !== name) latest = { name, values: fuseTensor(pair, { name, moved, weight }) };
      const values = await latest.values;
      fromFloat64Into(values.subarray(begin, begin + out.length), dtype, out);
    },
  });
}

async function fuseTensor(
  { source, target, plans }: FusedPair,
  { name, moved, weight }: { readonly name: string; readonly moved: MovedWeight; readonly weight: number },
): Promise<Float64Array> {
  const { data: values } = transportWeight(await readFloats(source, name), moved, plans);
  return mixInto(values, await readFloats(target, name), weight, values);
}

/** Reads a tensor as f64. */
export async function readFloats(network: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await network.read(name);
  return toFloat64(data, dtype);
}
