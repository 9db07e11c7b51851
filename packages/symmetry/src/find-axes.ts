import { at } from "@isthmus/core";
import type { AxisRef, FollowerFamily, Symmetry, WeightLayout } from "./spec.ts";

/** The properties of a symmetry that finding its axes needs. */
type Cells = Pick<Symmetry, "firstUnit" | "size" | "cells">;

/**
 * Returns the axis of a weight that an axis of its view belongs to; the first two of a grouped view are one
 * axis.
 */
export function weightAxisOf(
  { shape, view }: { readonly shape: readonly number[]; readonly view: readonly number[] },
  axis: number,
): number {
  return view.length === shape.length ? axis : Math.max(0, axis - 1);
}

/**
 * Finds the weight axes that each symmetry moves, directly or through its followers.
 *
 * In a field over two axes, such as the rows in each group, a unit moves along the inner axis and its parents
 * move along the outer axis.
 */
export function findAxes(
  symmetries: readonly Cells[],
  followers: readonly FollowerFamily[],
  weights: ReadonlyMap<string, WeightLayout>,
): AxisRef[][] {
  const families = listFamilies(symmetries, followers);
  const axesOf: AxisRef[][] = symmetries.map(() => []);
  for (const [tensor, layout] of weights) {
    axesMoved(families, symmetries.length, layout).forEach((axes, symmetry) => {
      for (const axis of [...axes].sort((a, b) => a - b))
        at(axesOf, symmetry, "symmetry").push({ tensor, axis });
    });
  }
  return axesOf;
}

/** Finds for each symmetry the axes of one weight that it moves. */
function axesMoved(families: readonly UnitFamily[], count: number, layout: WeightLayout): Set<number>[] {
  const moved = Array.from({ length: count }, () => new Set<number>());
  for (const { axes, units } of layout.fields) {
    const outer = weightAxisOf(layout, at(axes, 0, "axis"));
    const inner = weightAxisOf(layout, at(axes, axes.length - 1, "axis"));
    for (const { symmetry, above } of familiesIn(families, units)) {
      if (symmetry !== undefined) at(moved, symmetry, "symmetry").add(inner);
      for (const parent of above) at(moved, parent, "symmetry").add(outer);
    }
  }
  return moved;
}

/** The units of one symmetry, or of one family of followers. */
interface UnitFamily {
  readonly firstUnit: number;
  /** Index of the symmetry; undefined for followers. */
  readonly symmetry: number | undefined;
  /** Indices of the symmetries that move it from above. */
  readonly above: readonly number[];
}

/** Lists all families in the order of their units. */
function listFamilies(symmetries: readonly Cells[], followers: readonly FollowerFamily[]): UnitFamily[] {
  const families: UnitFamily[] = [];
  const above = (parents: readonly number[]): number[] => {
    const direct = parents.map((unit) => familyAt(families, unit));
    return [
      ...new Set(
        direct.flatMap((family) => [
          ...(family.symmetry === undefined ? [] : [family.symmetry]),
          ...family.above,
        ]),
      ),
    ];
  };
  symmetries.forEach(({ firstUnit, cells }, symmetry) => {
    families.push({ firstUnit, symmetry, above: above(at(cells, 0, "cell")) });
  });
  for (const { firstUnit, parents } of followers) {
    families.push({ firstUnit, symmetry: undefined, above: above(at(parents, 0, "follower")) });
  }
  return families;
}

/** Finds the family that a unit belongs to: the last one that starts at or before it. */
function familyAt(families: readonly UnitFamily[], unit: number): UnitFamily {
  let low = 0;
  let high = families.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(families, middle, "family").firstUnit <= unit) low = middle;
    else high = middle;
  }
  return at(families, low, "family");
}

/** Collects the families that some units belong to; -1 is no unit. */
function familiesIn(families: readonly UnitFamily[], units: Int32Array): ReadonlySet<UnitFamily> {
  const present = new Set<UnitFamily>();
  // Neighbours are mostly of one family, which is searched for once.
  let [from, to] = [0, 0];
  for (const unit of units) {
    if (unit < 0 || (unit >= from && unit < to)) continue;
    const family = familyAt(families, unit);
    present.add(family);
    from = family.firstUnit;
    to = families[families.indexOf(family) + 1]?.firstUnit ?? Number.POSITIVE_INFINITY;
  }
  return present;
}
