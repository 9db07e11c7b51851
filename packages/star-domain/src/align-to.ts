import type { Checkpoint } from "@isthmus/core";
import type { Engine, Graph } from "@isthmus/graph";
import { permute, type SymmetrySpec } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";

/** How networks are aligned to each other. */
export interface Alignable {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Symmetries of the graph, proved by whoever gives them. */
  readonly spec: SymmetrySpec;
}

/** How hard to search. */
export interface AlignToOptions {
  readonly seed: number;
  /** Searches, at least 1. */
  readonly restarts: number;
  readonly signal?: AbortSignal | undefined;
}

/** The network with its units in the order of `target`, as weight matching finds it; lazy. */
export async function alignTo(
  target: Checkpoint,
  network: Checkpoint,
  { graph, engine, spec }: Alignable,
  { seed, restarts, signal }: AlignToOptions,
): Promise<Checkpoint> {
  const { alignment } = await matchWeights(target, network, spec, { graph, engine, seed, restarts, signal });
  return permute(alignment, network, spec);
}
