import { at, entry, OutOfRangeError, UnsupportedError } from "@isthmus/core";
import type { SeparableGraph } from "../graph/plan-widening.ts";
import type { MergeChoice } from "../layout/axis-plan.ts";

/**
 * Width of the merged network relative to one of the two networks, in `[1, 2]`: one number for all
 * symmetries, or numbers for some symmetries by name; the other symmetries then have width 1.
 */
export type PartialWidth = number | Readonly<Record<string, number>>;

/** Result of a merge for one symmetry. */
export interface MergedSymmetry {
  /** Name of the symmetry, by which widths refer to it. */
  readonly name: string;
  /** Number of units in one network. */
  readonly size: number;
  /** Number of pairs of units that were merged. */
  readonly merged: number;
  /** Number of units in the merged network: `2 size - merged`. */
  readonly width: number;
  /** Smallest similarity of a merged pair; null if no pair is merged. */
  readonly leastMerged: number | null;
  /** Largest similarity of a pair that is kept apart; null if no pair is kept apart. */
  readonly mostApart: number | null;
  /** Reason for which all units must be merged; null if units can be kept apart. */
  readonly whole: string | null;
}

/**
 * Chooses the pairs of units that are merged: the most similar ones of each symmetry.
 * @param similarity - similarity of each unit to its partner, `[units]`
 * @throws OutOfRangeError if a width is not in `[1, 2]`, is for an unknown symmetry, or exceeds 1 for a
 *   symmetry whose units must be merged
 * @throws UnsupportedError if the width exceeds 1, and no symmetry has units that can be kept apart
 */
export function chooseMerged(
  separable: SeparableGraph,
  similarity: Float64Array,
  width: PartialWidth,
): { readonly choice: MergeChoice; readonly symmetries: MergedSymmetry[] } {
  const { spec, roots, allowed, reasons } = separable;
  const names = roots.plain.map((index) => at(spec.symmetries, index, "symmetry").name);
  assertWidths(width, names);
  assertSeparable(separable, width);
  const merged = new Uint8Array(spec.units).fill(1);
  const symmetries = roots.plain.map((index): MergedSymmetry => {
    const { name, size, firstUnit } = at(spec.symmetries, index, "symmetry");
    const whole = allowed.has(index) ? null : (reasons.get(index) ?? null);
    const pairs = whole === null ? Math.round((2 - shareOf(width, name)) * size) : size;
    if (whole !== null) assertWhole(width, name, whole);
    const units = Array.from({ length: size }, (_, i) => firstUnit + i);
    const of = (unit: number) => at(similarity, unit, "unit");
    units.sort((x, y) => of(y) - of(x) || x - y);
    for (const unit of units.slice(pairs)) merged[unit] = 0;
    const [last, next] = [units[pairs - 1], units[pairs]];
    const leastMerged = last === undefined ? null : of(last);
    const mostApart = next === undefined ? null : of(next);
    return { name, size, merged: pairs, width: 2 * size - pairs, leastMerged, mostApart, whole };
  });
  return { choice: { merged }, symmetries };
}

/** Returns the width of a symmetry; 1 if widths are named for other symmetries only. */
function shareOf(width: PartialWidth, name: string): number {
  return typeof width === "number"
    ? width
    : Object.hasOwn(width, name)
      ? entry(new Map(Object.entries(width)), name, "width")
      : 1;
}

/** Checks that no width above 1 is named for a symmetry whose units must be merged. */
function assertWhole(width: PartialWidth, name: string, whole: string): void {
  if (typeof width === "number" || shareOf(width, name) === 1) return;
  throw new OutOfRangeError(
    `Cannot keep units of "${name}" apart as ${whole}: its width must be 1, it is ${shareOf(width, name)}`,
  );
}

/** Checks that a network has units that can be kept apart if the width exceeds 1. */
function assertSeparable({ spec, allowed, reasons, probed }: SeparableGraph, width: PartialWidth): void {
  if (allowed.size > 0 || width === 1 || typeof width !== "number") return;
  const [first] = reasons;
  const reason =
    first === undefined
      ? "it has no units that may be permuted"
      : `of "${at(spec.symmetries, first[0], "symmetry").name}", ${first[1]}`;
  throw new UnsupportedError(
    `Cannot merge networks of "${probed.graph.name}" at width ${width} as some of their units must be such that they can be kept apart: ${reason}; merge them at width 1`,
    { feature: "width" },
  );
}

function assertWidths(width: PartialWidth, names: readonly string[]): void {
  const widths = typeof width === "number" ? [["width", width] as const] : Object.entries(width);
  for (const [name, share] of widths) {
    if (typeof width !== "number" && !names.includes(name)) {
      throw new OutOfRangeError(
        `Cannot merge in part as a width must be of a symmetry: there is no "${name}"; the symmetries are ${names.join(", ")}`,
      );
    }
    if (!(share >= 1 && share <= 2)) {
      throw new OutOfRangeError(`Cannot merge in part as "${name}" must be in [1, 2]: it is ${share}`);
    }
  }
}
