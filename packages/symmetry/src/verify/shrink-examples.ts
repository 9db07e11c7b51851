import type { Architecture, Graph } from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import { discoverSymmetries } from "../discover-symmetries.ts";
import { fingerprintSpec } from "../encode/encode-spec.ts";

/** A graph whose symmetries are proved by running it. */
export interface ProvenGraph {
  /** Graph for small examples, or the graph itself. */
  readonly graph: Graph;
  /** Symmetries that were discovered in that graph. */
  readonly symmetries: Symmetries;
}

/**
 * Makes the graph of the same weights for smaller examples, on which a proof takes less time and memory: of a
 * U-Net for images of 64 by 64 the attentions alone compute gigabytes. The network keeps its own
 * weights, so that the proof is about them; and a wrong symmetry changes values at any size of the images.
 * @returns the graph itself if no smaller examples can be made, or other symmetries are found in the smaller
 *   graph
 */
export async function shrinkExamples(
  { graph, engine, shrink }: Architecture,
  symmetries: Symmetries,
  signal?: AbortSignal,
): Promise<ProvenGraph> {
  if (shrink === undefined) return { graph, symmetries };
  const small = shrink();
  const ofSmall = await discoverSymmetries({ graph: small, engine }, { signal });
  const isSame = fingerprintSpec(ofSmall.spec) === fingerprintSpec(symmetries.spec);
  return isSame ? { graph: small, symmetries: ofSmall } : { graph, symmetries };
}
