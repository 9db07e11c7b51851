import { copyColumns, copyRows, selectColumns, selectRows } from "./kernels/changes.ts";
import type { PanelFactors } from "./panel-sums.ts";

/** The two panels whose product an occurrence adds: of the other networks, and of the network itself. */
export interface PanelPair extends PanelFactors {
  /** Whether `b` is the same at all times. */
  readonly isFixed: boolean;
}

/** Selects some units of a panel: their products with all units are some rows of the costs. */
export function selectUnits({ a, byRows, units }: PanelPair, places: Int32Array): Float32Array {
  const depth = a.length / units;
  const out = new Float32Array(places.length * depth);
  if (byRows) selectRows(a, places, depth, { out, first: 0, factor: 1 });
  else selectColumns(a, places, units, { out, first: 0, factor: 1, width: places.length });
  return out;
}

/** The panels of an occurrence as they were when costs were last computed. */
export class ChangedPanels {
  readonly #a: Float32Array;
  readonly #b: Float32Array;

  constructor({ a, b, isFixed }: PanelPair) {
    this.#a = a.slice();
    this.#b = isFixed ? b : b.slice();
  }

  /** Notes the present values of units whose costs are computed anew. */
  noteUnits({ a, byRows, units }: PanelPair, anew: Int32Array): void {
    if (byRows) copyRows(a, anew, a.length / units, this.#a);
    else copyColumns(a, anew, units, this.#a);
  }

  /**
   * Returns panels whose product is the change of the costs by some places along the depth, and notes the
   * present values there.
   */
  follow({ a, b, byRows, units, isFixed }: PanelPair, places: Int32Array): PanelFactors {
    const depth = a.length / units;
    const changed = places.length;
    const both = (now: Float32Array, before: Float32Array, factor: number) => {
      const out = new Float32Array(2 * changed * units);
      if (byRows) {
        selectColumns(now, places, depth, { out, first: 0, factor: 1, width: 2 * changed });
        selectColumns(before, places, depth, { out, first: changed, factor, width: 2 * changed });
      } else {
        selectRows(now, places, units, { out, first: 0, factor: 1 });
        selectRows(before, places, units, { out, first: changed, factor });
      }
      return out;
    };
    const change = { a: both(a, this.#a, -1), b: both(b, this.#b, 1), byRows, units };
    const note = byRows
      ? (from: Float32Array, to: Float32Array) => copyColumns(from, places, depth, to)
      : (from: Float32Array, to: Float32Array) => copyRows(from, places, units, to);
    note(a, this.#a);
    if (!isFixed) note(b, this.#b);
    return change;
  }

  /** Notes the present values of panels. */
  reset({ a, b, isFixed }: PanelPair): void {
    this.#a.set(a);
    if (!isFixed) this.#b.set(b);
  }
}
