import type { Checkpoint } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import type { Alignment, SymmetrySpec } from "@isthmus/symmetry";
import { type MatchWeightsOptions, matchWeights } from "../match-weights.ts";
import type { SymmetrySelection } from "../search/prepare-matching.ts";

/**
 * Keeps what was found, so that a matching that was stopped goes on: after the same call with the same
 * networks, seed and options, what is in the journal is not computed again.
 */
export interface ManyJournal {
  /** Returns what was kept under a key. */
  read(key: string): Promise<readonly Alignment[] | undefined>;
  write(key: string, alignments: readonly Alignment[]): Promise<void>;
}

/** Several networks that are matched to each other. */
export interface ManyMatching {
  readonly spec: SymmetrySpec;
  readonly engine: Engine | undefined;
  /** Their parameters as matching sees them. */
  readonly networks: readonly Checkpoint[];
  readonly selection: SymmetrySelection;
  /** Indices of the symmetries that the selection leaves as they are. */
  readonly held: ReadonlySet<number>;
  readonly seed: number;
  /** Searches for each pair of networks. */
  readonly restarts: number;
  readonly memory: number | undefined;
  readonly journal: ManyJournal | undefined;
  readonly signal: AbortSignal | undefined;
  /** Told how much of the method under way is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
}

/** Returns what the journal has under a key, or else finds it and keeps it there. */
export async function journaled(
  { journal }: Pick<ManyMatching, "journal">,
  key: string,
  find: () => Promise<readonly Alignment[]>,
): Promise<readonly Alignment[]> {
  const earlier = await journal?.read(key);
  if (earlier !== undefined) return earlier;
  const alignments = await find();
  await journal?.write(key, alignments);
  return alignments;
}

/** Finds the alignment that brings network `b` closest to network `a`, which may be sums of networks. */
export async function matchTwo(
  { spec, engine, selection, seed, restarts, memory, signal }: ManyMatching,
  networks: readonly [Checkpoint, Checkpoint],
  options: Pick<MatchWeightsOptions, "search" | "start" | "restarts" | "onProgress"> = {},
): Promise<Alignment> {
  const { alignment } = await matchWeights({ spec, graph: undefined, engine }, networks, {
    ...{ ...selection, seed, restarts, memory, signal },
    ...options,
  });
  return alignment;
}
