import { at } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import type { UnitRoots } from "@isthmus/symmetry/layout";

/** The networks that a place of the wide network belongs to: bit 0 for A, bit 1 for B. */
export const SIDES = { a: 1, b: 2, both: 3 } as const;

/** Plan of one axis of the wide network: the source of each place, and the networks to which it belongs. */
export interface AxisPlan {
  /** Position on the axis of A, and of B in the coordinates of A, `[places]`. */
  readonly from: Int32Array;
  /** One of {@link SIDES} for each place, `[places]`. */
  readonly side: Uint8Array;
  /** New place of each position that begins a block, `[positions + 1]`; -1 at other positions. */
  readonly starts: Int32Array;
}

/** A choice of the units that are merged. */
export interface MergeChoice {
  /**
   * 1 for each unit of a plain symmetry that is merged with its partner, 0 if the two are kept apart,
   * `[units]`.
   */
  readonly merged: Uint8Array;
}

/** Symmetries whose units may be kept apart. */
export interface Separable {
  /** Symmetries of the graph and the layouts of its weights. */
  readonly spec: SymmetrySpec;
  /** Unit of a plain symmetry to which each unit belongs, and the symmetry of each such unit. */
  readonly roots: UnitRoots;
  /** Positions of these symmetries in the specification. */
  readonly allowed: ReadonlySet<number>;
}

/**
 * Plans an axis. Each block that holds every unit of a symmetry once becomes the merged units, followed by
 * the separate units of A and then of B, all in their previous order. Other positions do not change.
 *
 * @param unitOf - root unit at each position of the axis, or -1, `[positions]`
 * @returns undefined unless units lie in whole blocks, each unit in one run
 */
export function planAxis(
  unitOf: Int32Array,
  { spec, roots, allowed }: Separable,
  { merged }: MergeChoice,
): AxisPlan | undefined {
  const from: number[] = [];
  const side: number[] = [];
  const starts = new Int32Array(unitOf.length + 1).fill(-1);
  let position = 0;
  while (position < unitOf.length) {
    starts[position] = from.length;
    const unit = at(unitOf, position, "position");
    const index = unit < 0 ? -1 : at(roots.symmetryOf, unit, "unit");
    if (!allowed.has(index)) {
      from.push(position++);
      side.push(SIDES.both);
      continue;
    }
    const runs = findBlock(unitOf, position, at(spec.symmetries, index, "symmetry").size);
    if (runs === undefined) return undefined;
    const { size: run, starts: places } = runs;
    const add = (start: number, whose: number) => {
      for (let i = 0; i < run; i++) {
        from.push(start + i);
        side.push(whose);
      }
    };
    const isMerged = (start: number) => merged[unitOf[start] as number] === 1;
    for (const start of places.filter(isMerged)) add(start, SIDES.both);
    const apart = places.filter((start) => !isMerged(start));
    for (const start of apart) add(start, SIDES.a);
    for (const start of apart) add(start, SIDES.b);
    position += run * places.length;
  }
  starts[unitOf.length] = from.length;
  return { from: Int32Array.from(from), side: Uint8Array.from(side), starts };
}

/** Finds the runs of positions of one unit each that begin at a position, if they hold different units. */
function findBlock(
  unitOf: Int32Array,
  begin: number,
  units: number,
): { readonly size: number; readonly starts: readonly number[] } | undefined {
  let size = 1;
  while (unitOf[begin + size] === unitOf[begin]) size++;
  // A symmetry that fills an axis several times over with one unit after the other ends a run by itself.
  const starts = Array.from({ length: units }, (_, i) => begin + i * size);
  const seen = new Set<number>();
  for (const start of starts) {
    const unit = unitOf[start];
    if (unit === undefined || unit < 0) return undefined;
    for (let i = 1; i < size; i++) if (unitOf[start + i] !== unit) return undefined;
    seen.add(unit);
  }
  return seen.size === units ? { size, starts } : undefined;
}
