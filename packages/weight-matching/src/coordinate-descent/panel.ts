import { at, gatherInto, sizeOf } from "@isthmus/core";
import { mapComponent } from "@isthmus/symmetry/layout";
import { differenceInto, repeatRows } from "./kernels/rows.ts";
import type { PanelSources } from "./member-costs.ts";
import { columnOffsets, type Occurrence } from "./occurrences.ts";
import { combineMaps, combineOffsets, type WeightPart, weightParts } from "./weight-parts.ts";

/** Rows of a panel that changed, as factors of the change of the product. */
export interface PanelChange {
  /** Rows of A, `[count, units]`. */
  readonly a: Float32Array;
  /** New minus old rows of B, `[count, units]`. */
  readonly b: Float32Array;
}

/** The movement by which a panel follows an alignment. */
export interface PanelMove {
  /** Row of B's panel, as it was read, that is taken for each row, `[rows]`. */
  readonly rowMap: Int32Array;
  /** Position that each position of the moving component is taken from; undefined if they stay. */
  readonly columnMap: Int32Array | undefined;
  /** Whether columns stay as the panel last followed them, so that B need not be gathered anew. */
  readonly sameColumns: boolean;
  /** Number of rows that change. */
  readonly moved: number;
  /** Whether so few rows change that {@link Panel.change} is cheaper than a new sum. */
  readonly few: boolean;
}

/** Share of a panel's rows up to which adding their changes is cheaper than summing anew. */
const FEW = 0.4;

/** Copies that a panel makes of its weights. */
interface PanelCopies {
  readonly a: Float32Array;
  /** B in the permutation of its columns alone. */
  readonly raw: Float32Array;
  readonly b: Float32Array;
}

/**
 * A panel: an occurrence as two matrices `[rows, units]` whose product `A^T B` is its share of the cost.
 *
 * A row is one slot and one place in the rest of the weight. Permuting other axes of B permutes its rows,
 * which are contiguous, so following an alignment is copying the rows that moved.
 */
export class Panel {
  readonly occurrence: Occurrence;
  readonly rows: number;
  readonly units: number;
  readonly #weights: { readonly a: Float32Array; readonly b: Float32Array };
  #copies: PanelCopies | undefined;
  #rowMap: Int32Array;
  #columnMap: Int32Array | undefined;

  /**
   * @param occurrence - the axis of the weight
   * @param a - the whole weight of A, flat
   * @param b - the whole weight of B, flat
   */
  constructor(occurrence: Occurrence, a: Float32Array, b: Float32Array) {
    const { layout, components, moving, slots, positions } = occurrence;
    this.occurrence = occurrence;
    this.rows = (sizeOf(layout.view) / at(components, moving, "component").size) * slots;
    this.units = positions.length / slots;
    this.#weights = { a, b };
    this.#rowMap = Int32Array.from({ length: this.rows }, (_, row) => row);
  }

  /** Bytes of the copies that the panel makes of its weights. */
  get bytes(): number {
    return 3 * Float32Array.BYTES_PER_ELEMENT * this.rows * this.units;
  }

  /** The panel of A. */
  get a(): Float32Array {
    return this.#copied().a;
  }

  /** The panel of B in its present permutation. */
  get b(): Float32Array {
    return this.#copied().b;
  }

  /** Drops all copies; they are made again, in the same permutation, when they are next needed. */
  drop(): void {
    this.#copies = undefined;
  }

  #copied(): PanelCopies {
    if (this.#copies !== undefined) return this.#copies;
    const raw = gather(this.occurrence, this.#weights.b, this.#columnMap);
    this.#copies = {
      a: gather(this.occurrence, this.#weights.a, undefined),
      raw,
      b: new Float32Array(raw.length),
    };
    this.#rowMap.forEach((from, row) => {
      this.#copyRow(from, row);
    });
    return this.#copies;
  }

  /** Plans how to follow an alignment. */
  plan({ current, frame }: PanelSources): PanelMove {
    const columnMap = this.#columnMapOf(frame);
    const sameColumns = sameMap(columnMap, this.#columnMap);
    const rowMap = this.#rowMapOf(current);
    let moved = 0;
    for (let row = 0; row < rowMap.length; row++) if (rowMap[row] !== this.#rowMap[row]) moved++;
    return { rowMap, columnMap, sameColumns, moved, few: sameColumns && moved <= this.rows * FEW };
  }

  /** Permutes B as planned. */
  follow({ rowMap, columnMap, sameColumns }: PanelMove): void {
    if (!sameColumns) {
      this.#columnMap = columnMap;
      this.#copied().raw.set(gather(this.occurrence, this.#weights.b, columnMap));
    }
    rowMap.forEach((from, row) => {
      this.#copyRow(from, row);
    });
    this.#rowMap = rowMap;
  }

  /** Permutes B as planned, and returns the change; only for plans that move few rows. */
  change({ rowMap, moved }: PanelMove): PanelChange {
    const { units } = this;
    // Not kept, as all panels together would hold most of both networks once more.
    const [a, b] = [new Float32Array(moved * units), new Float32Array(moved * units)];
    const copies = this.#copied();
    let count = 0;
    rowMap.forEach((from, row) => {
      if (from === this.#rowMap[row]) return;
      const begin = count * units;
      a.set(copies.a.subarray(row * units, (row + 1) * units), begin);
      differenceInto(
        copies.raw.subarray(from * units),
        copies.b.subarray(row * units),
        b.subarray(begin, begin + units),
      );
      this.#copyRow(from, row);
      count++;
    });
    this.#rowMap = rowMap;
    return { a, b };
  }

  #copyRow(from: number, to: number): void {
    const { units } = this;
    const { raw, b } = this.#copied();
    b.set(raw.subarray(from * units, (from + 1) * units), to * units);
  }

  #rowMapOf(current: Int32Array): Int32Array {
    const { layout, components, moving, slots } = this.occurrence;
    const rest = combineMaps(layout, components, {
      source: current,
      except: at(components, moving, "component"),
    });
    return repeatRows(rest, slots);
  }

  /**
   * Finds the positions that the positions of the moving component come from; undefined if no other block has
   * moved them.
   */
  #columnMapOf(frame: Int32Array): Int32Array | undefined {
    const { components, moving } = this.occurrence;
    const map = mapComponent(at(components, moving, "component"), frame);
    return map.every((from, position) => from === position) ? undefined : map;
  }
}

function sameMap(a: Int32Array | undefined, b: Int32Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.every((from, position) => from === b[position]);
}

function gather(occurrence: Occurrence, data: Float32Array, columnMap: Int32Array | undefined): Float32Array {
  const { layout, components, moving, positions, slots } = occurrence;
  const parts = weightParts(layout, components, undefined);
  const movingComponent = at(components, moving, "component");
  const isMoving = ({ component }: WeightPart) => component === movingComponent;
  const { offsets } = at(parts, parts.findIndex(isMoving), "part");
  const rest = combineOffsets(parts.filter((part) => !isMoving(part)));
  const units = positions.length / slots;
  const share = rest.length * units;
  const panel = new Float32Array(share * slots);
  for (let slot = 0; slot < slots; slot++) {
    const columns = columnOffsets(occurrence, slot, offsets, columnMap);
    gatherInto(data, [rest, columns], panel.subarray(slot * share, (slot + 1) * share));
  }
  return panel;
}
