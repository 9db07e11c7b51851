import type { NetworkMeasures, PruneResult } from "../prune-result.ts";

/**
 * Lists the measured networks of a pruning in the order in which they were made, with words for the step that
 * made each.
 */
export function pruningStages({
  measures,
  rewinding,
}: Pick<PruneResult, "measures" | "rewinding">): readonly (readonly [string, NetworkMeasures])[] {
  if (measures === undefined) return [];
  const { before, after, tuned } = measures;
  const names =
    rewinding === undefined
      ? (["before", "after", "trained on"] as const)
      : (["trained, not pruned", "pruned last, before it was set back", "set back and trained"] as const);
  const [first, second, third] = names;
  return [[first, before], [second, after], ...(tuned ? ([[third, tuned]] as const) : [])];
}
