import { sizeOf } from "@isthmus/core";
import type { Architecture, Graph } from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import { discoverSymmetries } from "../discover-symmetries.ts";

/** A small network of the same structure as a large one, with its symmetries. */
export interface NarrowNetwork {
  /** Narrowed graph, made by the same builder as the large one. */
  readonly graph: Graph;
  /** Symmetries that were discovered in the narrowed graph. */
  readonly symmetries: Symmetries;
}

/** Most weights of a network that is run itself: several copies of them are held at once then, in f32. */
const LARGE = 2 ** 27;

/**
 * Makes a small network to be run in place of one that is too large: one built from a config that has more
 * than 2^27 weights. The same builder makes both, and the same rules find their symmetries.
 * @returns undefined if the network itself can be run, or no small one can be made
 */
export async function narrowLarge(
  { graph, engine, narrow }: Architecture,
  signal?: AbortSignal,
): Promise<NarrowNetwork | undefined> {
  if (narrow === undefined || !isLarge(graph)) return undefined;
  const small = narrow();
  return { graph: small, symmetries: await discoverSymmetries({ graph: small, engine }, { signal }) };
}

/** Checks whether a network has more than 2^27 weights. */
export function isLarge({ weights }: Graph): boolean {
  let count = 0;
  for (const { shape } of weights.values()) count += sizeOf(shape);
  return count > LARGE;
}
