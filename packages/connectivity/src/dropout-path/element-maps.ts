import { at, sizeOf } from "@isthmus/core";
import { positionIn, type UnitSite } from "@isthmus/symmetry/layout";

/**
 * Units at the places of a layer: the number of a unit of some network for each place, or -1 for an empty
 * place; `[size]`.
 */
export type Slots = Int32Array;

/** State of a position at an empty place. */
export const NOTHING = -1;
/** State of a position that belongs to no unit of a layer. */
const NO_UNIT = -2;

/** Map of elements of a weight along one axis, from each place of a layer to the unit that it holds. */
export interface AxisMap {
  /** Number of elements by which each position moves, `[positions]`. */
  readonly offsets: Int32Array;
  /** State of each position: 0 if it moves, otherwise {@link NOTHING} or {@link NO_UNIT}; `[positions]`. */
  readonly states: Int8Array;
  /** Position along the axis of an element, by the element's index in the weight. */
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

/** Move of an element of a weight that has no counterpart, as its place is empty or it belongs to no unit. */
export const ABSENT: number = Number.MIN_SAFE_INTEGER;

/**
 * Returns the number of elements by which an element moves along axes; {@link ABSENT} if its place on an axis
 * is empty, or if it belongs to no unit on an axis and `everyAxis` is set.
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

/**
 * Tells whether an element is written by a unit on every one of the given axes, even if its place is empty.
 */
export function isWritten(maps: readonly AxisMap[], element: number): boolean {
  return maps.length > 0 && maps.every(({ states, positionOf }) => states[positionOf(element)] !== NO_UNIT);
}
