import type { Checkpoint } from "@isthmus/core";
import type { Engine, Graph } from "@isthmus/graph";
import { permute, type SymmetrySpec } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";

/** An architecture and the symmetries by which its networks are aligned. */
export interface Alignable {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Symmetries of the graph, which the caller has verified. */
  readonly spec: SymmetrySpec;
}

/** Options of {@link alignTo}. */
export interface AlignToOptions {
  readonly seed: number;
  /** Number of searches, at least 1. */
  readonly restarts: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Aligns a network to another by weight matching: returns it, lazily, with its units permuted to match
 * `target`.
 */
export async function alignTo(
  target: Checkpoint,
  network: Checkpoint,
  { graph, engine, spec }: Alignable,
  { seed, restarts, signal }: AlignToOptions,
): Promise<Checkpoint> {
  const { alignment } = await matchWeights({ spec, graph, engine }, [target, network], {
    seed,
    restarts,
    signal,
  });
  return permute(alignment, network, spec);
}
