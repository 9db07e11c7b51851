import { at, gatherInto, sizeOf } from "@isthmus/core";
import { mapComponent } from "@isthmus/symmetry/layout";
import { differenceInto } from "./kernels/rows.ts";
import type { PanelSources } from "./member-costs.ts";
import { columnOffsets, type Occurrence } from "./occurrences.ts";
import type { PanelMemory } from "./panel-memory.ts";
import { combineMaps, combineOffsets, type WeightPart, weightParts } from "./weight-parts.ts";

/**
 * Two matrices whose product is added to a cost: both `[rows, units]`, or both `[units, rows]` if the panel
 * is read by units. They may lie in shared memory, and are valid until another panel is read.
 */
export interface PanelFactors {
  /** Matrix of A. */
  readonly a: Float32Array;
  /** Matrix of B in its present permutation, or what its rows changed by. */
  readonly b: Float32Array;
  /** Number of rows. */
  readonly rows: number;
}

/** The movement by which a panel follows an alignment. */
export interface PanelMove {
  /** Place in the rest of the weight that each place is taken from, `[rows / slots]`. */
  readonly restMap: Int32Array;
  /** Position that each position of the moving component is taken from; undefined if they stay. */
  readonly columnMap: Int32Array | undefined;
  /** Places in the rest of the weight that are taken from another place than before. */
  readonly moved: Int32Array;
  /** Whether so few rows change that {@link Panel.change} is cheaper than a new sum. */
  readonly few: boolean;
}

/** Share of a panel's rows up to which adding their changes is cheaper than summing anew. */
const FEW = 0.4;

/**
 * Least number of units for which a weight whose first axis moves is read by units, as it is stored: A then
 * needs no copy, and products are up to twice as fast; for 12 units they are ten times slower.
 */
const BY_UNITS = 128;

/**
 * A panel: an occurrence as two matrices `[rows, units]` whose product `A^T B` is its share of the cost.
 *
 * A row is one slot and one place in the rest of the weight. Factors are read from the weights for each
 * product, as copies of all panels would hold both networks several times over.
 */
export class Panel {
  readonly occurrence: Occurrence;
  readonly rows: number;
  readonly units: number;
  /** Whether the factors are `[units, rows]`. */
  readonly byUnits: boolean;
  readonly #weights: { readonly a: Float32Array; readonly b: Float32Array };
  /** Offset in the weight of each position of the moving component. */
  readonly #offsets: Int32Array;
  /** Offset in the weight of each place in the rest of it. */
  readonly #rest: Int32Array;
  /** Whether the weight begins with the factors, in their order. */
  readonly #isStored: boolean;
  #restMap: Int32Array;
  #columnMap: Int32Array | undefined;

  /**
   * @param occurrence - the axis of the weight
   * @param a - the whole weight of A, flat
   * @param b - the whole weight of B, flat
   */
  constructor(occurrence: Occurrence, a: Float32Array, b: Float32Array) {
    const { layout, components, moving, slots, positions } = occurrence;
    const component = at(components, moving, "component");
    this.occurrence = occurrence;
    this.rows = (sizeOf(layout.view) / component.size) * slots;
    this.units = positions.length / slots;
    this.#weights = { a, b };
    const parts = weightParts(layout, components, undefined);
    const isMoving = (part: WeightPart) => part.component === component;
    this.#offsets = at(parts, parts.findIndex(isMoving), "part").offsets;
    this.#rest = combineOffsets(parts.filter((part) => !isMoving(part)));
    this.byUnits = isMoving(at(parts, 0, "part")) && this.units >= BY_UNITS;
    this.#isStored =
      (this.byUnits || slots === 1) && areRows(this.#tables(this.#rest, { slot: 0, columnMap: undefined }));
    this.#restMap = Int32Array.from(this.#rest.keys());
  }

  /** Plans how to follow an alignment. */
  plan({ current, frame }: PanelSources): PanelMove {
    const { layout, components, moving } = this.occurrence;
    const component = at(components, moving, "component");
    const columnMap = mapComponent(component, frame);
    // Undefined if no other block has moved the positions.
    const moves = columnMap.every((from, position) => from === position) ? undefined : columnMap;
    const restMap = combineMaps(layout, components, { source: current, except: component });
    const moved = Int32Array.from(restMap.keys()).filter((place) => restMap[place] !== this.#restMap[place]);
    const few = sameMap(moves, this.#columnMap) && moved.length <= restMap.length * FEW;
    return { restMap, columnMap: moves, moved, few };
  }

  /** Permutes B as planned, and returns the factors of the whole product. */
  follow({ restMap, columnMap }: PanelMove, memory: PanelMemory): PanelFactors {
    this.#restMap = restMap;
    this.#columnMap = columnMap;
    return this.factors(memory);
  }

  /** Returns the factors of the whole product in the present permutation of B. */
  factors(memory: PanelMemory): PanelFactors {
    const { rows, units } = this;
    const { a } = this.#weights;
    const size = rows * units;
    const left = this.#isStored
      ? a.subarray(0, size)
      : this.#read(a, this.#rest, undefined, memory.scratch("a", size));
    return { a: left, b: this.#readB(this.#restMap, memory.scratch("b", size)), rows };
  }

  /** Permutes B as planned, and returns the factors of the change; only for plans that move few rows. */
  change({ restMap, moved }: PanelMove, memory: PanelMemory): PanelFactors {
    const rows = moved.length * this.occurrence.slots;
    const size = rows * this.units;
    const earlier = moved.map((place) => at(this.#restMap, place, "place"));
    const rest = moved.map((place) => at(this.#rest, place, "place"));
    const a = this.#read(this.#weights.a, rest, undefined, memory.scratch("a", size));
    const b = this.#readB(
      moved.map((place) => at(restMap, place, "place")),
      memory.scratch("b", size),
    );
    differenceInto(b, this.#readB(earlier, memory.scratch("earlier", size)), b);
    this.#restMap = restMap;
    return { a, b, rows };
  }

  /** Reads rows of B by the places in the rest of the weight that they come from. */
  #readB(places: Int32Array, out: Float32Array): Float32Array {
    const rest = places.map((place) => at(this.#rest, place, "place"));
    return this.#read(this.#weights.b, rest, this.#columnMap, out);
  }

  /** Reads rows by their offsets in the weight, for all slots. */
  #read(
    data: Float32Array,
    rest: Int32Array,
    columnMap: Int32Array | undefined,
    out: Float32Array,
  ): Float32Array {
    if (this.byUnits) return gatherInto(data, this.#tables(rest, { slot: 0, columnMap }), out);
    const share = rest.length * this.units;
    for (let slot = 0; slot < this.occurrence.slots; slot++) {
      const part = out.subarray(slot * share, (slot + 1) * share);
      gatherInto(data, this.#tables(rest, { slot, columnMap }), part);
    }
    return out;
  }

  /** Lists the offsets that address the factors: for all slots if read by units, otherwise for one slot. */
  #tables(
    rest: Int32Array,
    { slot, columnMap }: { readonly slot: number; readonly columnMap: Int32Array | undefined },
  ): [Int32Array, Int32Array] {
    if (!this.byUnits) return [rest, columnOffsets(this.occurrence, slot, this.#offsets, columnMap)];
    const columns = this.occurrence.positions.map((position) => {
      const from = columnMap === undefined ? position : at(columnMap, position, "position");
      return at(this.#offsets, from, "position");
    });
    return [columns, rest];
  }
}

/** Checks whether offsets address consecutive elements, row by row. */
function areRows([rows, columns]: readonly [Int32Array, Int32Array]): boolean {
  return (
    rows.every((offset, row) => offset === row * columns.length) &&
    columns.every((offset, column) => offset === column)
  );
}

function sameMap(a: Int32Array | undefined, b: Int32Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.every((from, position) => from === b[position]);
}
