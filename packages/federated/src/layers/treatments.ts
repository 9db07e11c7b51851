import { type Checkpoint, DTYPES, entry, UsageError } from "@isthmus/core";
import { findFactorPairs, scaleTensors } from "../adapters/factor-pairs.ts";
import type { Treatment } from "./treatment.ts";

/**
 * Returns the treatment of every tensor of a network: floating-point tensors are shared, and integers, such
 * as the number of batches that a batch norm has seen, are kept, unless `treatments` has another treatment.
 * Scales of adapters, `alpha`, are always kept.
 * @param treatments - chosen treatments, by name of the tensor
 * @throws UsageError if a tensor of integers is to be shared or averaged
 * @throws UnsupportedError if factors of a change by an adapter would be treated one by one, see
 *   `findFactorPairs`
 * @throws InvariantError if there is no tensor of a name
 */
export function resolveTreatments(
  network: Checkpoint,
  treatments: ReadonlyMap<string, Treatment> = new Map(),
): ReadonlyMap<string, Treatment> {
  const resolved = new Map<string, Treatment>();
  const scales = scaleTensors(network.tensors.keys());
  for (const [name, { dtype }] of network.tensors) {
    if (scales.has(name)) {
      resolved.set(name, "keep");
      continue;
    }
    const treatment = treatments.get(name) ?? (DTYPES[dtype].float ? "share" : "keep");
    if (treatment !== "keep" && !DTYPES[dtype].float) {
      throw new UsageError(
        `Cannot ${treatment} tensor "${name}" as only floating-point tensors can be averaged: it is ${dtype}; keep it`,
      );
    }
    resolved.set(name, treatment);
  }
  for (const name of treatments.keys()) entry(network.tensors, name, "tensor");
  findFactorPairs(network, resolved);
  return resolved;
}
