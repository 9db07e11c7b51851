import type { Treatment } from "@isthmus/federated/rounds";

/** Returns the names of the tensors that clients keep to themselves. */
export function keptNames(treatments: ReadonlyMap<string, Treatment> = new Map()): ReadonlySet<string> {
  return new Set([...treatments].filter(([, treatment]) => treatment === "keep").map(([name]) => name));
}
