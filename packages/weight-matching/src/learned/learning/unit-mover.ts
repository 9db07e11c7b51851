import { at, entry, type Tensor } from "@isthmus/core";
import { type MovableUnits, moveRowsInPlace } from "../unit-rows.ts";

/** Copies of the weights in which units may be moved, with all units in the places they were moved to. */
export interface UnitMover {
  /** The copies by name; the next move overwrites their data, and replaces the tensors by others of the same data. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /**
   * Moves units to their places: unit `places[i]` of the original network goes to place `i`. Returns whether
   * any moved.
   */
  move(places: readonly Int32Array[]): boolean;
}

/** Prepares to move the units of a network in f32, which itself is not changed. */
export function createUnitMover(
  movable: readonly MovableUnits[],
  network: ReadonlyMap<string, Tensor>,
): UnitMover {
  const names = new Set(movable.flatMap(({ rows }) => rows.map(({ weight }) => weight)));
  const tensors = new Map(
    [...names].map((name) => {
      const tensor = entry(network, name, "weight");
      return [name, { ...tensor, data: tensor.data.slice() }];
    }),
  );
  const current = movable.map(({ symmetry }) => identityPlaces(symmetry.size));
  return {
    tensors,
    move(places) {
      const moved = movable.filter((_, index) => {
        const [before, next] = [at(current, index, "symmetry"), at(places, index, "symmetry")];
        return next.some((unit, place) => unit !== before[place]);
      });
      const touched = new Set(moved.flatMap(({ rows }) => rows.map(({ weight }) => weight)));
      for (const name of touched)
        (entry(tensors, name, "weight").data as Float32Array).set(
          entry(network, name, "weight").data as Float32Array,
        );
      movable.forEach(({ rows }, index) => {
        const next = at(places, index, "symmetry");
        at(current, index, "symmetry").set(next);
        for (const { weight, occurrence } of rows) {
          if (!touched.has(weight)) continue;
          moveRowsInPlace(entry(tensors, weight, "weight").data as Float32Array, occurrence, next);
        }
      });
      renewInPlace(tensors, touched);
      return moved.length > 0;
    },
  };
}

/** Replaces tensors whose data were written by others of the same data, by which a device knows of the change. */
export function renewInPlace(tensors: Map<string, Tensor>, written: Iterable<string>): void {
  for (const name of written) tensors.set(name, { ...entry(tensors, name, "tensor") });
}

/** Returns the places that leave all units in place. */
export function identityPlaces(size: number): Int32Array {
  return Int32Array.from({ length: size }, (_, unit) => unit);
}

/** Moves the variables of units with them, from some places to others. */
export function moveVariablesInPlace(
  values: Float64Array,
  lists: readonly Int32Array[],
  [before, next]: readonly [Int32Array, Int32Array],
): void {
  const placeOf = new Int32Array(before.length);
  before.forEach((unit, place) => {
    placeOf[unit] = place;
  });
  for (const variables of lists) {
    const old = variables.map((_, place) => at(placeOf, at(next, place, "place"), "unit"));
    const moved = Float64Array.from(old, (place) => at(values, at(variables, place, "place"), "variable"));
    variables.forEach((variable, place) => {
      values[variable] = at(moved, place, "place");
    });
  }
}
