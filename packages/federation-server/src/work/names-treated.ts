import type { Treatment } from "@isthmus/federated";

/** Returns the names of the tensors that have a treatment, such as the ones that clients keep. */
export function namesTreated(treatments: ReadonlyMap<string, Treatment>, as: Treatment): ReadonlySet<string> {
  return new Set([...treatments].filter(([, treatment]) => treatment === as).map(([name]) => name));
}
