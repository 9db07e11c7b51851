import { at, entry } from "@isthmus/core";
import type { Symmetries } from "../derive-spec.ts";
import { layOutValues } from "../value-layouts.ts";
import { type AxisUnits, findAxisUnits, type UnitTable } from "./axis-units.ts";
import type { UnitRoots } from "./unit-roots.ts";

/** A tensor with units on some of its axes. */
export interface TensorUnits {
  /** Shape that the axes refer to; of a weight, its view. */
  readonly shape: readonly number[];
  /** Root unit, or -1, at each position along every axis that has some units, by axis. */
  readonly axes: AxisUnits;
}

/** The units on the axes of every weight and every value of a graph. */
export interface AxisLayouts {
  /** Weights by name, with axes of their views. */
  readonly weights: ReadonlyMap<string, TensorUnits>;
  /** Values by name, weights included, in their shapes for the batch of the symmetries. */
  readonly values: ReadonlyMap<string, TensorUnits>;
  /** Symmetries that cannot be kept apart, as their units do not lie along single axes everywhere. */
  readonly tangled: ReadonlyMap<number, string>;
}

/**
 * Lays out the units of plain symmetries, and all units nested in them, on the axes of weights and values.
 */
export function layOutAxes(symmetries: Symmetries, roots: UnitRoots): AxisLayouts {
  const reasons = new Map<number, string>();
  for (const index of roots.shared) reasons.set(index, "some units follow two symmetries at once");
  const collect = (name: string, tables: readonly UnitTable[]): AxisUnits => {
    const tangled = new Set<number>();
    const axes = findAxisUnits(tables, roots, tangled);
    for (const index of tangled) {
      if (!reasons.has(index)) reasons.set(index, `its units lie on several axes of "${name}" at once`);
    }
    return axes;
  };
  const weights = new Map<string, TensorUnits>();
  for (const [name, { view, fields }] of symmetries.spec.weights) {
    const tables = fields.map(({ axes, units }) => {
      return { axes, extents: axes.map((axis) => at(view, axis, "axis")), units };
    });
    weights.set(name, { shape: view, axes: collect(name, tables) });
  }
  const values = new Map<string, TensorUnits>();
  for (const [name, components] of layOutValues(symmetries).components) {
    const tables = components.flatMap(({ axes, extents, units }) =>
      units.map((table) => ({ axes, extents, units: table })),
    );
    const { shape } = entry(symmetries.labels.values, name, "value");
    values.set(name, { shape, axes: collect(name, tables) });
  }
  return { weights, values, tangled: reasons };
}
