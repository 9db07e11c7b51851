import { type DimensionAccuracy, findCrossing } from "./isotonic.ts";

/** Rules of a search for the smallest dimension that reaches a line. */
export interface SearchRules {
  readonly line: number;
  /** The first dimension. */
  readonly first: number;
  /** The smallest dimension there is. */
  readonly least: number;
  /** The largest dimension there is. */
  readonly most: number;
  /** The search ends once the bracket is no wider than this share of its lower end. */
  readonly resolution: number;
}

/** Factor between dimensions until the line is between two of them. */
const FACTOR = 2;

/**
 * Chooses the dimension to measure next: twice the largest one, or half the smallest one, until the line is
 * crossed between two measured ones; then the geometric mean of these. What was measured decides anew each
 * time, by a rising fit, so that a bracket which turns out to be wrong is left again.
 * @param points - what is measured, by rising dimension
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
