import { type Architecture, type ProbeOptions, probeGraph } from "@isthmus/graph";
import { type Derivation, deriveSpec } from "./derive-spec.ts";

/**
 * Discovers the permutation symmetries of a graph: which indices of which weight axes may be permuted
 * together without changing what it computes. Runs the graph once, to find out shapes and constants.
 *
 * Nothing is decided by names, nor by the values of weights.
 *
 * @returns the specification, with the records that predict how values move when weights are permuted
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverSymmetries(
  { graph, engine }: Architecture,
  options: ProbeOptions = {},
): Promise<Derivation> {
  return deriveSpec(graph, await probeGraph({ graph, engine }, options));
}
