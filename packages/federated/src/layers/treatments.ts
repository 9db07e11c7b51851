import { type Checkpoint, DTYPES, entry, UsageError } from "@isthmus/core";

/**
 * What becomes of a tensor in a round: a `share`d one goes through the rule and the server's optimiser, an
 * `average`d one becomes the mean weighted by examples, and a `keep`t one is not changed.
 */
export type Treatment = "share" | "average" | "keep";

/** All treatments. */
export const TREATMENTS: readonly Treatment[] = ["share", "average", "keep"];

/**
 * Returns the treatment of every tensor: by default floating-point tensors are shared, and integers such as
 * counters of batches are kept.
 * @throws UsageError if an integer tensor is to be shared or averaged
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
