import { type Field, wholeField } from "@isthmus/core";

/** Largest number of places on a path between networks; the result lists every place. */
export const MOST_PLACES = 10_001;

/** Makes the field of the number of evenly spaced places on a path. */
export function pointsField(missing: number, help: string): Field<number> {
  return wholeField({ least: 3, most: MOST_PLACES, default: missing, help });
}
