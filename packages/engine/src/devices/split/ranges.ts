import { at } from "@isthmus/core";

/** A range of indices along an axis. */
export interface Range {
  /** First index. */
  readonly begin: number;
  /** Index behind the last one. */
  readonly end: number;
}

/** Returns the ranges between neighbouring bounds. */
export function rangesOf(bounds: readonly number[]): readonly Range[] {
  return bounds.slice(0, -1).map((begin, i) => ({ begin, end: at(bounds, i + 1, "bound") }));
}
