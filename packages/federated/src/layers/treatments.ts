import { type Checkpoint, DTYPES, entry, groupBy, UnsupportedError, UsageError } from "@isthmus/core";
import { findAdapterFactor } from "@isthmus/merging";

/**
 * Treatment of a tensor in a round. `share`: the rule makes one change of the values that all clients sent,
 * and the optimiser of the server moves the tensor by it. `average`: the tensor becomes the mean of the
 * values that clients sent, weighted by their examples, as is right for running statistics; if the rule
 * resists attackers, it becomes their median in each element. `keep`: each client keeps its own, and the
 * global network keeps its values.
 */
export type Treatment = "share" | "average" | "keep";

/** All treatments that a tensor can have. */
export const TREATMENTS: readonly Treatment[] = ["share", "average", "keep"];

/**
 * Returns the treatment of every tensor of a network: floating-point tensors are shared, and integers, such
 * as the number of batches that a batch norm has seen, are kept, unless `treatments` has another treatment.
 * @param treatments - chosen treatments, by name of the tensor
 * @throws UsageError if a tensor of integers is to be shared or averaged
 * @throws UnsupportedError if two factors of the same change by an adapter, as LoRA's, are to be shared or
 * averaged
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
  assertWholeChanges(network, resolved);
  return resolved;
}

/**
 * Checks that the server changes at most one of the factors whose product is the change by an adapter, as
 * the server changes every tensor by itself.
 */
function assertWholeChanges({ source }: Checkpoint, treatments: ReadonlyMap<string, Treatment>): void {
  const shared = [...treatments].flatMap(([name, treatment]) => {
    const module = treatment === "keep" ? undefined : findAdapterFactor(name)?.module;
    return module === undefined ? [] : [{ module, ending: name.slice(module.length) }];
  });
  for (const [module, factors] of groupBy(shared, (factor) => factor.module)) {
    if (factors.length < 2) continue;
    const endings = factors.map(({ ending }) => `"${ending}"`).join(", ");
    throw new UnsupportedError(
      `Cannot aggregate "${source}" as the change of "${module}" by an adapter is a product of ${endings}, and the mean of factors is not the mean of products: keep all but one of them with the clients by patterns of layers, as "*${factors[0]?.ending}" keep, which is exact if no client changes these, or let clients send whole networks with the adapter applied`,
      { feature: module },
    );
  }
}
