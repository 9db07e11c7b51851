import { at, sizeOf } from "@isthmus/core";
import { positionIn, type UnitSite } from "@isthmus/symmetry/layout";

/** What each place of a layer holds: a unit of some network by number, or -1; `[size]`. */
export type Slots = Int32Array;

/** An element is at a place that holds nothing. */
export const NOTHING = -1;
/** An element is at no unit of a layer. */
const NO_UNIT = -2;

/** How elements of a weight move along one axis, from each place of a unit to the unit that it holds. */
export interface AxisMap {
  /** Elements by which each position moves, `[positions]`. */
  readonly offsets: Int32Array;
  /** 0 where the position moves, otherwise {@link NOTHING} or {@link NO_UNIT}, `[positions]`. */
  readonly states: Int8Array;
  readonly positionOf: (element: number) => number;
}

/** Creates the map of an axis on which units lie. */
export function mapAxis({ view, axis, units }: UnitSite, slots: Slots): AxisMap {
  const stride = sizeOf(view.slice(axis + 1));
  const positions = positionsOfUnits(units, slots.length);
  const offsets = new Int32Array(units.length);
  const states = new Int8Array(units.length);
  const ranks = new Int32Array(slots.length);
  units.forEach((unit, position) => {
    if (unit < 0) {
      states[position] = NO_UNIT;
      return;
    }
    const rank = at(ranks, unit, "rank");
    ranks[unit] = rank + 1;
    const source = at(slots, unit, "slot");
    if (source < 0) states[position] = NOTHING;
    else offsets[position] = (at(at(positions, source, "unit"), rank, "position") - position) * stride;
  });
  return { offsets, states, positionOf: positionIn(view, [axis]) };
}

/** Lists the positions of each unit on an axis, ascending. */
function positionsOfUnits(units: Int32Array, size: number): readonly (readonly number[])[] {
  const positions = Array.from({ length: size }, (): number[] => []);
  units.forEach((unit, position) => {
    if (unit >= 0) at(positions, unit, "unit").push(position);
  });
  return positions;
}

/** An element of a weight that has no counterpart: its place holds nothing, or it is at no unit. */
export const ABSENT: number = Number.MIN_SAFE_INTEGER;

/**
 * Returns by how many elements an element moves along axes; {@link ABSENT} if some place holds nothing, or,
 * where every axis must have a unit there, if one has none.
 */
export function moveOf(maps: readonly AxisMap[], element: number, everyAxis: boolean): number {
  let offset = 0;
  for (const { offsets, states, positionOf } of maps) {
    const position = positionOf(element);
    const state = states[position] as number;
    if (state === NOTHING || (everyAxis && state === NO_UNIT)) return ABSENT;
    offset += offsets[position] as number;
  }
  return offset;
}

/** Tells whether an element is written by a unit on every one of some axes, whatever its place holds. */
export function isWritten(maps: readonly AxisMap[], element: number): boolean {
  return maps.length > 0 && maps.every(({ states, positionOf }) => states[positionOf(element)] !== NO_UNIT);
}
