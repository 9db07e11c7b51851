import { type Field, wholeField } from "@isthmus/core";

/** Most places on a path between networks, each of which has a result. */
export const MOST_PLACES = 10_001;

/** Most examples that are taken of a data set: a file of one has at most as many bytes. */
export const MOST_EXAMPLES: number = 2 ** 31 - 1;

/** Most searches from other starts, and most random directions. */
export const MOST_TRIES = 10_000;

/** Makes the field of the number of evenly spaced places on a path. */
export function pointsField(missing: number, help: string): Field<number> {
  return wholeField({ least: 3, most: MOST_PLACES, default: missing, help });
}
