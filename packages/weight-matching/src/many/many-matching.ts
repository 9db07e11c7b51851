import type { Checkpoint } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { type Alignment, assertAlignment, type SymmetrySpec } from "@isthmus/symmetry";
import { type MatchWeightsOptions, matchWeights } from "../match-weights.ts";
import type { SymmetrySelection } from "../search/prepare-matching.ts";

/**
 * Journal of results, by which a stopped matching goes on: in the same call with the same networks, seed and
 * options, results in the journal are not computed again. `openJournal` of `@isthmus/tasks` opens one in a
 * file.
 */
export interface ManyJournal {
  /** Returns the numbers under a key; if there are none yet, computes and keeps them. */
  get(key: string, compute: () => Promise<readonly number[]>): Promise<readonly number[]>;
}

/** Several networks that are matched to each other. */
export interface ManyMatching {
  /** Specification whose weights are the ones that count in matching. */
  readonly spec: SymmetrySpec;
  /** Engine that computes products of weights; undefined if they are computed without one. */
  readonly engine: Engine | undefined;
  /** Their parameters as matching sees them. */
  readonly networks: readonly Checkpoint[];
  /** Patterns of the names of symmetries to match and to skip. */
  readonly selection: SymmetrySelection;
  /** Indices of the symmetries that the selection keeps in place. */
  readonly held: ReadonlySet<number>;
  /** Seed of all random choices. */
  readonly seed: number;
  /** Searches for each pair of networks. */
  readonly restarts: number;
  /** Bytes that matching may hold; undefined if there is no limit. */
  readonly memory: number | undefined;
  /** Journal of alignments found before a stop; undefined if none is kept. */
  readonly journal: ManyJournal | undefined;
  /** Signal that stops the matching; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called with the share of the method under way that is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
}

/**
 * Returns the alignments that the journal has under a key, or else finds and keeps them.
 * @throws MismatchError if an entry of the journal is no alignment of the specification
 */
export async function journaled(
  { journal, spec }: Pick<ManyMatching, "journal" | "spec">,
  key: string,
  find: () => Promise<readonly Alignment[]>,
): Promise<readonly Alignment[]> {
  if (journal === undefined) return find();
  const numbers = await journal.get(key, async () => (await find()).flatMap(({ source }) => [...source]));
  return Array.from({ length: numbers.length / spec.units }, (_, i) => {
    const alignment = { source: Int32Array.from(numbers.slice(i * spec.units, (i + 1) * spec.units)) };
    assertAlignment(spec, alignment);
    return alignment;
  });
}

/** Finds the alignment that brings network `b` closest to network `a`, which may be sums of networks. */
export async function matchTwo(
  { spec, engine, selection, seed, restarts, memory, signal }: ManyMatching,
  networks: readonly [Checkpoint, Checkpoint],
  options: Pick<MatchWeightsOptions, "search" | "start" | "restarts" | "onProgress"> = {},
): Promise<Alignment> {
  const { alignment } = await matchWeights({ spec, graph: undefined, engine }, networks, {
    ...selection,
    seed,
    restarts,
    memory,
    signal,
    ...options,
  });
  return alignment;
}
