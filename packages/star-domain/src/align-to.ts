import { at, type Checkpoint } from "@isthmus/core";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";

/** Options of {@link alignTo}. */
export interface AlignToOptions {
  readonly seed: number;
  /** Number of searches, at least 1. */
  readonly restarts: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Aligns a network to another by weight matching: returns it, lazily, with its units permuted to match
 * `target`, once its outputs were found to be the same as before.
 */
export async function alignTo(
  target: Checkpoint,
  network: Checkpoint,
  { graph, engine, symmetries }: SymmetricArchitecture,
  { seed, restarts, signal }: AlignToOptions,
): Promise<Checkpoint> {
  const options = { seed, restarts, signal, symmetries, proof: "outputs" } as const;
  const { aligned } = await align({ graph, engine }, [target, network], options);
  return at(aligned, 0, "aligned network").network;
}
