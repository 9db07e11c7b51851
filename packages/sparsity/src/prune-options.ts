import { type Checkpoint, excerpt, OutOfRangeError, resolveFields, UsageError } from "@isthmus/core";
import { PRUNING_FIELDS, type PruningChoice } from "./prune-fields.ts";

/** Options of `pruneNetwork`. */
export interface PruneOptions extends PruningChoice {
  /**
   * Other shares for some weights, or for some layers of units, by their names, in which `*` matches any
   * characters; the first matching name counts. Not for the choice `global`.
   * @defaultValue none
   */
  readonly shares?: Readonly<Record<string, number>>;
  /**
   * Standard deviations of the weights, by the same names, by which magnitudes are divided before they are
   * compared: the signal-to-noise ratio of Lange and Sprekeler, Lottery tickets in evolutionary optimization
   * (2023). `trainByEvolution` returns them. Not for the choice `units`.
   * @defaultValue magnitudes are compared
   */
  readonly deviations?: Checkpoint | undefined;
}

/** Options with all defaults filled in. */
export type ResolvedPruneOptions = Required<PruneOptions>;

/** Defaults of the options that have no field. */
const OTHER_DEFAULTS: Required<Omit<PruneOptions, keyof PruningChoice>> = {
  shares: {},
  deviations: undefined,
};

/**
 * Fills in the defaults of options and checks them.
 * @throws OutOfRangeError if a share is not in `[0, 1)`
 * @throws UsageError if the choice is unknown, or shares do not belong to it
 */
export function resolvePruneOptions(attempt: string, options: PruneOptions): ResolvedPruneOptions {
  const resolved = resolveFields(attempt, PRUNING_FIELDS, options, OTHER_DEFAULTS);
  const { sparsity, by, shares, deviations } = resolved;
  // Callers without type checks may leave the sparsity out.
  assertSparsity(attempt, "sparsity", sparsity);
  for (const [pattern, share] of Object.entries(shares))
    assertSparsity(attempt, `shares of ${pattern}`, share);
  if (by === "global" && Object.keys(shares).length > 0) {
    throw new UsageError(
      `Cannot ${attempt} with "shares" by "global" as weights of all layers are compared then: prune by layer or by units`,
    );
  }
  if (by === "units" && deviations !== undefined) {
    throw new UsageError(
      `Cannot ${attempt} by units with "deviations" as units are compared by the norms of their weights: prune globally or by layer`,
    );
  }
  return resolved;
}

/**
 * Checks that a share can be pruned.
 * @throws OutOfRangeError if the share is not in `[0, 1)`
 */
export function assertSparsity(attempt: string, name: string, share: number): void {
  if (share >= 0 && share < 1) return;
  throw new OutOfRangeError(
    `Cannot ${attempt} as "${name}" must be at least 0 and less than 1, at which nothing would be left: it is ${excerpt(share)}`,
  );
}
