import { at, sizeOf } from "@isthmus/core";
import type { UnitRoots } from "./unit-roots.ts";

/** The units on the axes of a tensor: for each axis that has any, the root at each position or -1. */
export type AxisUnits = ReadonlyMap<number, Int32Array>;

/** Axes of a tensor that move as one, and the units at each position over them. */
export interface UnitTable {
  /** Axes of the tensor that move as one, ascending. */
  readonly axes: readonly number[];
  /** Extents of these axes; positions are row-major over them. */
  readonly extents: readonly number[];
  /** Unit or -1 at each position, row-major, `[positions]`. */
  readonly units: Int32Array;
}

/**
 * Finds the axis on which the roots of each table lie.
 *
 * @param tangled - gets the symmetries whose roots lie on several axes at once, or two of them on one
 */
export function findAxisUnits(
  tables: readonly UnitTable[],
  { rootOf, symmetryOf }: UnitRoots,
  tangled: Set<number>,
): AxisUnits {
  const onAxes = new Map<number, Int32Array>();
  const refuse = (roots: Int32Array) => {
    for (const root of roots) if (root >= 0) tangled.add(at(symmetryOf, root, "unit"));
  };
  for (const { axes, extents, units } of tables) {
    const roots = units.map((unit) => (unit < 0 ? -1 : at(rootOf, unit, "unit")));
    if (roots.every((root) => root < 0)) continue;
    const [place, ...more] = [...extents.keys()].filter((i) => variesAlong(roots, extents, i));
    if (place === undefined || more.length > 0) {
      refuse(roots);
      continue;
    }
    const axis = at(axes, place, "axis");
    const onAxis = sliceAlong(roots, extents, place);
    const before = onAxes.get(axis);
    if (before?.some((root, i) => root !== onAxis[i])) {
      refuse(before);
      refuse(onAxis);
    } else onAxes.set(axis, onAxis);
  }
  return onAxes;
}

/** Returns the distance between neighbours along one axis of row-major data. */
function strideOf(extents: readonly number[], axis: number): number {
  return sizeOf(extents.slice(axis + 1));
}

function variesAlong(data: Int32Array, extents: readonly number[], axis: number): boolean {
  const stride = strideOf(extents, axis);
  const block = stride * at(extents, axis, "axis");
  for (let i = 0; i < data.length; i++) {
    const first = Math.floor(i / block) * block + (i % stride);
    if (data[i] !== data[first]) return true;
  }
  return false;
}

function sliceAlong(data: Int32Array, extents: readonly number[], axis: number): Int32Array {
  const stride = strideOf(extents, axis);
  return Int32Array.from({ length: at(extents, axis, "axis") }, (_, i) => at(data, i * stride, "position"));
}
