import type { AlignedNetwork } from "@isthmus/weight-matching";

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
 * Describes what an alignment changed in what it searched for: the loss half-way between two networks if it
 * learned, whose objective is minus that loss, and else the objective itself.
 */
export function describeObjective({
  method,
  objective,
}: Pick<AlignedNetwork["summary"], "method" | "objective">): string {
  if (method !== "learned" && method !== "straight-through") return `objective ${formatObjective(objective)}`;
  const { before, after } = objective;
  return `loss half-way ${formatObjective({ before: -before, after: -after })}`;
}

/**
 * Formats the objective of a search, as names and values of a list, if it differs from the objective itself:
 * weights before a norm count in it as the norm scales them. The list is empty if both are the same.
 */
export function formatScaled(objective: Objective, scaled: Objective): [string, string][] {
  if (scaled.after === objective.after) return [];
  return [["as scaled", `${formatObjective(scaled)}, weights as norms scale them`]];
}
