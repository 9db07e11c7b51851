import type { AxisRef, FollowerFamily, Symmetry, WeightLayout } from "./spec.ts";

/** What is needed of a symmetry to find the axes it moves. */
type Cells = Pick<Symmetry, "firstUnit" | "size" | "cells">;

/** The axis of a weight that an axis of its view belongs to; the first two of a grouped view are one axis. */
export function weightAxisOf(
  { shape, view }: { readonly shape: readonly number[]; readonly view: readonly number[] },
  axis: number,
): number {
  return view.length === shape.length ? axis : Math.max(0, axis - 1);
}

/**
 * Finds the weight axes each symmetry moves, directly or through what follows it.
 *
 * In a field over two axes, as rows in each group, a unit moves along the inner axis and its parents along the outer.
 */
export function findAxes(
  symmetries: readonly Cells[],
  followers: readonly FollowerFamily[],
  weights: ReadonlyMap<string, WeightLayout>,
): AxisRef[][] {
  const families = listFamilies(symmetries, followers);
  const found: AxisRef[][] = symmetries.map(() => []);
  for (const [tensor, layout] of weights) {
    axesMoved(families, symmetries.length, layout).forEach((axes, symmetry) => {
      for (const axis of [...axes].sort((a, b) => a - b)) found[symmetry]?.push({ tensor, axis });
    });
  }
  return found;
}

/** For each symmetry, the axes of one weight that it moves. */
function axesMoved(families: readonly UnitFamily[], count: number, layout: WeightLayout): Set<number>[] {
  const moved = Array.from({ length: count }, () => new Set<number>());
  for (const { axes, units } of layout.fields) {
    const outer = weightAxisOf(layout, axes[0] ?? 0);
    const inner = weightAxisOf(layout, axes.at(-1) ?? 0);
    for (const { own, above } of familiesIn(families, units)) {
      moved[own]?.add(inner);
      for (const symmetry of above) moved[symmetry]?.add(outer);
    }
  }
  return moved;
}

interface UnitFamily {
  readonly firstUnit: number;
  /** Index of the symmetry, or -1 for followers. */
  readonly own: number;
  /** Indices of the symmetries that move it from above. */
  readonly above: readonly number[];
}

/** All families in the order of their units. */
function listFamilies(symmetries: readonly Cells[], followers: readonly FollowerFamily[]): UnitFamily[] {
  const families: UnitFamily[] = [];
  const above = (parents: readonly number[]): number[] => {
    const direct = parents.map((unit) => familyAt(families, unit));
    return [...new Set(direct.flatMap((family) => [family?.own ?? -1, ...(family?.above ?? [])]))];
  };
  symmetries.forEach(({ firstUnit, cells }, own) => {
    families.push({ firstUnit, own, above: above(cells[0] ?? []) });
  });
  for (const { firstUnit, parents } of followers) {
    families.push({ firstUnit, own: -1, above: above(parents[0] ?? []) });
  }
  return families;
}

/** The last family that starts at or before a unit. */
function familyAt(families: readonly UnitFamily[], unit: number): UnitFamily | undefined {
  let low = 0;
  let high = families.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((families[middle]?.firstUnit ?? 0) <= unit) low = middle;
    else high = middle;
  }
  return families[low];
}

function familiesIn(families: readonly UnitFamily[], units: Int32Array): ReadonlySet<UnitFamily> {
  const found = new Set<UnitFamily>();
  for (const unit of units) {
    const family = unit < 0 ? undefined : familyAt(families, unit);
    if (family !== undefined) found.add(family);
  }
  return found;
}
