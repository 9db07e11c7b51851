import type { Checkpoint } from "@isthmus/core";
import type { Architecture, ProbeOptions } from "@isthmus/graph";
import { wholeSpec } from "./derive-spec.ts";
import { discoverSymmetries } from "./discover-symmetries.ts";
import { decodeAlignment } from "./encode/encode-alignment.ts";
import { permute } from "./permute.ts";

/**
 * Permutes a network by an alignment in JSON, as `encodeAlignment` returns it, after the symmetries of its
 * architecture are discovered.
 * @throws FormatError if it is no alignment
 * @throws MismatchError if the alignment or the network belongs to another architecture
 */
export async function permuteByAlignment(
  { graph, engine }: Architecture,
  network: Checkpoint,
  alignment: unknown,
  options: ProbeOptions = {},
): Promise<Checkpoint> {
  const spec = wholeSpec(await discoverSymmetries({ graph, engine }, options));
  return permute(decodeAlignment(spec, alignment), network, spec);
}
