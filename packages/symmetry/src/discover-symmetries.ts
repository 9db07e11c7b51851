import { type Architecture, type ProbeOptions, probeGraph } from "@isthmus/graph";
import { deriveSpec, type Symmetries } from "./derive-spec.ts";
import { findExchanges } from "./exchange/find-exchanges.ts";
import { joinParts } from "./exchange/join-parts.ts";

/**
 * Discovers the permutation symmetries of a graph: which indices of which weight axes may be permuted
 * together without changing what it computes. Runs the graph once, to find out shapes and constants.
 *
 * Nothing is decided by names, nor by the values of weights.
 *
 * @returns the specification, with the records that predict how values move when weights are permuted
 * @throws EngineError if the engine cannot run the graph
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, openArchitecture } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 *
 * const { spec } = await discoverSymmetries(architecture);
 * const sizes = spec.symmetries.map(({ name, size }) => [name, size]);
 * assert.deepEqual(sizes, [["layers.0", 512], ["layers.1", 512], ["layers.2", 512]]);
 * ```
 */
export async function discoverSymmetries(
  { graph, engine }: Architecture,
  options: ProbeOptions = {},
): Promise<Symmetries> {
  const probe = await probeGraph({ graph, engine }, options);
  const symmetries = deriveSpec(graph, probe);
  const exchanges = findExchanges(graph, probe);
  return { ...symmetries, whole: joinParts(symmetries.spec, exchanges) };
}

/**
 * Returns a function that discovers the symmetries of a graph when it is first called, and returns the same
 * symmetries afterwards.
 * @param onStart - called before they are discovered @defaultValue nothing is called
 */
export function discoverOnce(
  architecture: Architecture,
  options: ProbeOptions = {},
  onStart: () => void = () => {},
): () => Promise<Symmetries> {
  let symmetries: Promise<Symmetries> | undefined;
  return () => {
    if (symmetries === undefined) {
      onStart();
      symmetries = discoverSymmetries(architecture, options);
    }
    return symmetries;
  };
}
