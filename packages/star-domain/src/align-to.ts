import { at, type Checkpoint, type Field, triesField } from "@isthmus/core";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";

/** Field of the number of searches for each alignment, for measurements of a star. */
export const JUDGING_RESTARTS_FIELD: Field<number> = triesField({
  least: 1,
  default: 4,
  help: "number of searches for each alignment of two networks, of which the best is taken",
});

/** Options of {@link alignTo}. */
export interface AlignToOptions {
  /** Seed of the searches of weight matching. */
  readonly seed: number;
  /** Number of searches, at least 1. */
  readonly restarts: number;
  /** Signal that stops the alignment. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Aligns a network to another by weight matching: returns it, lazily, with its units permuted to match
 * `target`, after a check that its outputs are the same as before.
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
