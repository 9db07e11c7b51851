import { at, axisOffsets, gatherInto, stridesOf } from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import { type LayoutComponent, layoutComponents, mapComponent } from "@isthmus/symmetry/layout";
import type { Occurrence } from "../../coordinate-descent/occurrences.ts";
import { combineOffsets, weightParts } from "../../coordinate-descent/weight-parts.ts";
import type { Extents } from "./kernels/relax.ts";

/** Position that each position of a component of a weight is taken from: one map for each component. */
export type ComponentMaps = readonly Int32Array[];

/** Positions of the elements of an occurrence in a weight that is laid out part by part. */
export interface PanelTables {
  /** `rows`: a row of the weight is a unit; `columns`: a column is; `gathered`: units must be gathered. */
  readonly kind: "columns" | "rows" | "gathered";
  /** Offsets along all axes on which no units lie, `[rest]`. */
  readonly rest: Int32Array;
  /** The other component that moves, if there is one, and the position in it of each of `rest`. */
  readonly partner: { readonly component: LayoutComponent; readonly positions: Int32Array } | undefined;
  /** Offsets of the units at each slot, `[units]` each. */
  readonly slots: readonly Int32Array[];
}

/**
 * The layout of a weight, one or two components of which move, part by part: elements lie row-major
 * `[first component, all that stays, second component]`.
 */
export class PartedWeight {
  readonly name: string;
  readonly components: readonly LayoutComponent[];
  readonly extents: Extents;
  /** Positions of each component. */
  readonly sizes: readonly number[];
  /** Offsets of the elements of each part in the stored weight. */
  readonly #stored: readonly Int32Array[];

  constructor(name: string, layout: WeightLayout) {
    this.name = name;
    this.components = layoutComponents(layout);
    const parts = weightParts(layout, this.components, undefined);
    const ofComponent = (component: LayoutComponent) =>
      parts.flatMap((part) => (part.component === component ? [part.offsets] : []));
    const [rows, columns] = this.components.map(ofComponent) as [[Int32Array], [Int32Array] | undefined];
    const rest = combineOffsets(parts.filter(({ component }) => component === undefined));
    this.#stored = [...rows, rest, ...(columns ?? [Int32Array.of(0)])];
    const [a, b, c] = this.#stored.map(({ length }) => length) as [number, number, number];
    this.extents = { rows: a, rest: b, columns: c };
    this.sizes = this.components.map((_, component) => (component === 0 ? a : c));
  }

  /** Lays a stored weight out part by part. */
  layOut(stored: Float32Array): Float32Array {
    return gatherInto(stored, this.#stored, new Float32Array(stored.length));
  }

  /** Finds the positions that every component is taken from under a permutation of all units. */
  mapsOf(source: Int32Array): ComponentMaps {
    return this.components.map((component) => mapComponent(component, source));
  }

  /** Prepares the reading of an occurrence of this weight as a panel. */
  tablesOf({ moving, positions, slots }: Occurrence): PanelTables {
    const { rows, rest, columns } = this.extents;
    const extents = [rows, rest, columns];
    const strides = stridesOf(extents);
    const part = moving === 0 ? 0 : 2;
    const stride = at(strides, part, "part");
    const units = positions.length / slots;
    const isWhole =
      slots === 1 &&
      units === at(extents, part, "part") &&
      positions.every((position, unit) => position === unit);
    const others = [0, 1, 2].filter((axis) => axis !== part);
    const offsets = axisOffsets(extents, strides, others);
    const partner = this.components[1 - moving];
    const positionOf = (offset: number) =>
      Math.floor(offset / at(strides, 2 - part, "part")) % at(extents, 2 - part, "part");
    return {
      kind: isWhole ? (moving === 0 ? "rows" : "columns") : "gathered",
      rest: offsets,
      partner: partner && { component: partner, positions: offsets.map(positionOf) },
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
