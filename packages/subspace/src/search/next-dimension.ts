import { type DimensionAccuracy, findCrossing } from "./isotonic.ts";

/** Rules of a search for the smallest dimension that reaches a line. */
export interface SearchRules {
  /** Accuracy to be reached, in `[0, 1]`. */
  readonly line: number;
  /** First dimension of the search. */
  readonly first: number;
  /** Smallest possible dimension. */
  readonly least: number;
  /** Largest possible dimension. */
  readonly most: number;
  /** Width of the bracket, as a share of its lower end, at which the search ends. */
  readonly resolution: number;
}

/** Factor between dimensions until the line is between two of them. */
const FACTOR = 2;

/**
 * Chooses the dimension to measure next: twice the largest one, or half the smallest one, until the line is
 * crossed between two measured dimensions; then the geometric mean of these. The bracket is computed each
 * time from all measured dimensions, by a rising fit, so that a wrong bracket is corrected later.
 * @param points - measured accuracies, by rising dimension
 * @returns undefined if the search has ended
 */
export function nextDimension(
  points: readonly DimensionAccuracy[],
  { line, first, least, most, resolution }: SearchRules,
): number | undefined {
  const largest = points.at(-1)?.dimension;
  if (largest === undefined) return Math.min(most, Math.max(least, first));
  const crossing = findCrossing(points, line);
  if (crossing === undefined) return largest < most ? Math.min(most, FACTOR * largest) : undefined;
  const { reached, missed } = crossing;
  if (missed === undefined) {
    return reached > least ? Math.max(least, Math.floor(reached / FACTOR)) : undefined;
  }
  if (reached - missed <= Math.max(1, resolution * missed)) return undefined;
  return Math.min(reached - 1, Math.max(missed + 1, Math.round(Math.sqrt(missed * reached))));
}
