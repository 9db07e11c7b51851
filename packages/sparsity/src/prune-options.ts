import { type Checkpoint, excerpt, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";

/** Ways to choose what is pruned: the least weights of all, the least of each weight, or whole units. */
export const PRUNE_CHOICES = ["global", "layer", "units"] as const;

/** How what is pruned is chosen. */
export type PruneChoice = (typeof PRUNE_CHOICES)[number];

/** Options of `pruneNetwork`. */
export interface PruneOptions {
  /** Share of the weights that is pruned, in `[0, 1)`; of the units of each layer if whole units are. */
  readonly sparsity: number;
  /** @defaultValue "global" */
  readonly by?: PruneChoice;
  /**
   * Other shares for some weights, or for some layers of units, by their names, in which `*` matches any
   * characters; the first that matches counts. Not for the choice `global`. @defaultValue none
   */
  readonly shares?: Readonly<Record<string, number>>;
  /**
   * Names of the weights, or of the layers of units, that are pruned, in which `*` matches any characters.
   * @defaultValue all weights of two or more axes; all layers
   */
  readonly layers?: readonly string[] | undefined;
  /**
   * Standard deviations of the weights, by the same names, that magnitudes are divided by before they are
   * compared: the signal-to-noise ratio of Lange and Sprekeler, Lottery tickets in evolutionary
   * optimization (2023). `trainByEvolution` returns them. Not for the choice `units`.
   * @defaultValue magnitudes are compared
   */
  readonly deviations?: Checkpoint | undefined;
}

/** Options with all defaults filled in. */
export type ResolvedPruneOptions = Required<PruneOptions>;

/** Defaults of {@link PruneOptions}; there is none for the sparsity. */
export const PRUNE_DEFAULTS: Required<Omit<PruneOptions, "sparsity">> = {
  by: "global",
  shares: {},
  layers: undefined,
  deviations: undefined,
};

/**
 * Fills in the defaults of options and checks them.
 * @throws OutOfRangeError if a share is not in `[0, 1)`
 * @throws UsageError if the choice is unknown, or shares do not belong to it
 */
export function resolvePruneOptions(attempt: string, options: PruneOptions): ResolvedPruneOptions {
  const resolved = resolveOptions(attempt, { ...PRUNE_DEFAULTS, sparsity: Number.NaN }, options);
  const { sparsity, by, shares, deviations } = resolved;
  if (!PRUNE_CHOICES.includes(by)) {
    throw new UsageError(
      `Cannot ${attempt} as "by" must be ${PRUNE_CHOICES.join(" or ")}: it is ${excerpt(by)}`,
    );
  }
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
 * @throws OutOfRangeError if it is not in `[0, 1)`
 */
export function assertSparsity(attempt: string, name: string, share: number): void {
  if (share >= 0 && share < 1) return;
  throw new OutOfRangeError(
    `Cannot ${attempt} as "${name}" must be at least 0 and less than 1, at which nothing would be left: it is ${excerpt(share)}`,
  );
}
