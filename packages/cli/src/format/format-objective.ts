interface Objective {
  readonly before: number;
  readonly after: number;
}

/** Shows what an alignment maximised before and after: losses to four places, sums to two. */
export function formatObjective({ before, after }: Objective): string {
  const digits = Math.max(Math.abs(before), Math.abs(after)) < 10 ? 4 : 2;
  return `${before.toFixed(digits)} before, ${after.toFixed(digits)} after`;
}

/**
 * Shows what a search maximised where that is not the objective itself, as names and values of a list:
 * weights before a norm count in it as the norm scales them. Empty where both are the same.
 */
export function formatScaled(objective: Objective, scaled: Objective): [string, string][] {
  if (scaled.after === objective.after) return [];
  return [["as scaled", `${formatObjective(scaled)}, weights as norms scale them`]];
}
