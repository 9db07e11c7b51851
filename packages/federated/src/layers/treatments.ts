import { type Checkpoint, DTYPES, entry, UsageError } from "@isthmus/core";

/**
 * What a round does with a tensor. `share`: the rule makes one change of what all clients sent, and the
 * optimiser of the server moves the tensor by it. `average`: it becomes the mean of what clients sent,
 * weighted by their examples, whatever the rule is, as is right for running statistics. `keep`: each
 * client keeps its own, and the global network keeps its values.
 */
export type Treatment = "share" | "average" | "keep";

/** All treatments that a tensor can have. */
export const TREATMENTS: readonly Treatment[] = ["share", "average", "keep"];

/**
 * Returns what a round does with every tensor of a network: floating-point tensors are shared, and
 * integers, such as the number of batches that a batch norm has seen, are kept, unless another treatment
 * is asked for.
 * @param treatments - treatments that are asked for, by name of the tensor
 * @throws UsageError if a tensor of integers is to be shared or averaged
 * @throws InvariantError if there is no tensor of a name
 */
export function resolveTreatments(
  network: Checkpoint,
  treatments: ReadonlyMap<string, Treatment> = new Map(),
): ReadonlyMap<string, Treatment> {
  const resolved = new Map<string, Treatment>();
  for (const [name, { dtype }] of network.tensors) {
    const treatment = treatments.get(name) ?? (DTYPES[dtype].float ? "share" : "keep");
    if (treatment !== "keep" && !DTYPES[dtype].float) {
      throw new UsageError(
        `Cannot ${treatment} tensor "${name}" as only floating-point tensors can be averaged: it is ${dtype}; keep it`,
      );
    }
    resolved.set(name, treatment);
  }
  for (const name of treatments.keys()) entry(network.tensors, name, "tensor");
  return resolved;
}
