import { at, gatherInto, stridesOf, strideTable } from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import { type LayoutComponent, layoutComponents, mapComponent } from "@isthmus/symmetry/layout";
import type { Occurrence } from "../../coordinate-descent/occurrences.ts";
import { combineOffsets, weightParts } from "../../coordinate-descent/weight-parts.ts";

/** Where each position of a component of a weight is taken from; one map for each component. */
export type ComponentMaps = readonly Int32Array[];

/** How the elements of an occurrence lie in a weight that is laid out part by part. */
export interface PanelTables {
  /** `columns`: a row of the panel is a row of the weight; `rows`: a column is; else it must be gathered. */
  readonly kind: "columns" | "rows" | "gathered";
  /** Offsets of everything but the units, `[rest]`. */
  readonly rest: Int32Array;
  /** Offsets of the units at each slot, `[units]` each. */
  readonly slots: readonly Int32Array[];
}

/**
 * The layout of a weight, one or two components of which move, part by part: elements lie row-major over the
 * parts, and a part is a component that moves as one or a single axis that stays.
 */
export class PartedWeight {
  readonly name: string;
  readonly components: readonly LayoutComponent[];
  /** Offsets of the elements of each part in the weight as it is stored. */
  readonly #stored: readonly Int32Array[];
  /** Offsets of the positions of each part, part by part. */
  readonly #parts: readonly Int32Array[];
  readonly #strides: readonly number[];
  /** Index of the part of each component. */
  readonly #partOf: readonly number[];

  constructor(name: string, layout: WeightLayout) {
    this.name = name;
    this.components = layoutComponents(layout);
    const parts = weightParts(layout, this.components, undefined);
    this.#stored = parts.map(({ offsets }) => offsets);
    const extents = parts.map(({ offsets }) => offsets.length);
    this.#strides = stridesOf(extents);
    this.#parts = extents.map((extent, part) => strideTable(extent, at(this.#strides, part, "part")));
    this.#partOf = this.components.map((component) =>
      parts.findIndex((part) => part.component === component),
    );
  }

  /** Lays a stored weight out part by part. */
  layOut(stored: Float32Array): Float32Array {
    return gatherInto(stored, this.#stored, new Float32Array(stored.length));
  }

  /** Finds where every component takes its positions from under a permutation of all units. */
  mapsOf(source: Int32Array): ComponentMaps {
    return this.components.map((component) => mapComponent(component, source));
  }

  /**
   * Permutes a weight along one of its components.
   * @param map - where each position is taken from
   */
  permuteInto(values: Float32Array, component: number, map: Int32Array, out: Float32Array): Float32Array {
    const part = at(this.#partOf, component, "component");
    const stride = at(this.#strides, part, "part");
    const tables = this.#parts.map((table, i) => (i === part ? map.map((from) => from * stride) : table));
    return gatherInto(values, tables, out);
  }

  /** Prepares the reading of an occurrence of this weight as a panel. */
  tablesOf({ moving, positions, slots }: Occurrence): PanelTables {
    const part = at(this.#partOf, moving, "component");
    const stride = at(this.#strides, part, "part");
    const units = positions.length / slots;
    const isWhole = slots === 1 && positions.every((position, unit) => position === unit);
    const isFirst = part === 0 && isWhole;
    const isLast = part === this.#parts.length - 1 && isWhole;
    return {
      kind: isFirst ? "rows" : isLast ? "columns" : "gathered",
      rest: combineOffsets(this.#parts.filter((_, i) => i !== part).map((offsets) => ({ offsets }))),
      slots: Array.from({ length: slots }, (_, slot) =>
        Int32Array.from({ length: units }, (_, unit) => at(positions, unit * slots + slot, "slot") * stride),
      ),
    };
  }
}

/** Reads a panel `[slots * rest, units]` from a weight that is laid out part by part. */
export function readPanel(values: Float32Array, { rest, slots }: PanelTables): Float32Array {
  const units = at(slots, 0, "slot").length;
  const share = rest.length * units;
  const panel = new Float32Array(share * slots.length);
  for (const [slot, columns] of slots.entries()) {
    gatherInto(values, [rest, columns], panel.subarray(slot * share, (slot + 1) * share));
  }
  return panel;
}
