import { type Architecture, type ProbeOptions, probeGraph } from "@isthmus/graph";
import { handleEvents } from "@isthmus/platform";
import type { Symmetries } from "./derive-spec.ts";
import type { Exchange } from "./exchange/exchange-parts.ts";
import { findExchanges } from "./exchange/find-exchanges.ts";
import { deriveLinearSymmetries } from "./linear/discover-linear-symmetries.ts";
import type { LinearSymmetries } from "./linear/linear-symmetries.ts";
import { deriveMixing } from "./mixing/discover-mixing.ts";
import type { MixingSymmetries } from "./mixing/mixing-symmetries.ts";

/** All symmetries beyond the permutation of indices of weights. */
export interface ContinuousSymmetries {
  /** Scales, signs and rotations that do not change the function. */
  readonly linear: LinearSymmetries;
  /** Matrices that may mix units, the gains to be moved first, and logits that may be shifted. */
  readonly mixing: MixingSymmetries;
  /** Parts whose weights are separate tensors, and that may change places. */
  readonly exchanges: readonly Exchange[];
}

/**
 * Discovers all symmetries beyond permutation in one run of the graph: scales, signs and rotations, as
 * `discoverLinearSymmetries` finds them, units that any matrix of a group may mix, as `discoverMixing` finds
 * them, and parts that may change places, as `discoverExchanges` finds them.
 *
 * @param permutations - the permutation symmetries of the same graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverContinuous(
  { graph, engine }: Architecture,
  permutations: Symmetries,
  options: ProbeOptions = {},
): Promise<ContinuousSymmetries> {
  const { signal } = options;
  // Each search takes seconds in large graphs, and a signal is noticed between them.
  const stop = async () => {
    await handleEvents();
    signal?.throwIfAborted();
  };
  const probe = await probeGraph({ graph, engine }, options);
  await stop();
  const linear = deriveLinearSymmetries(graph, probe, permutations);
  await stop();
  const mixing = deriveMixing(graph, probe, { permutations, linear });
  await stop();
  return { linear, mixing, exchanges: findExchanges(graph, probe) };
}
