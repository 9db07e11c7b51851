interface Objective {
  readonly before: number;
  readonly after: number;
}

/** Formats the objective of an alignment before and after it: losses to four places, sums to two. */
export function formatObjective({ before, after }: Objective): string {
  const digits = Math.max(Math.abs(before), Math.abs(after)) < 10 ? 4 : 2;
  return `${before.toFixed(digits)} before, ${after.toFixed(digits)} after`;
}

/**
 * Formats the objective of a search, as names and values of a list, if it differs from the objective itself:
 * weights before a norm count in it as the norm scales them. The list is empty if both are the same.
 */
export function formatScaled(objective: Objective, scaled: Objective): [string, string][] {
  if (scaled.after === objective.after) return [];
  return [["as scaled", `${formatObjective(scaled)}, weights as norms scale them`]];
}
