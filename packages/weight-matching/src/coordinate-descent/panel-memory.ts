import type { Panel } from "./panel.ts";

/** Bytes of copies that all panels of a matching keep together. */
const KEPT_BYTES = 2 ** 28;

/**
 * Memory that the panels of a matching share: of the copies that they make of weights, only the most recently
 * used are kept, as all of them would hold both networks several times over.
 */
export class PanelMemory {
  readonly #limit: number;
  /** Panels that hold copies, in the order of their last use. */
  readonly #panels = new Set<Panel>();
  #bytes = 0;
  /** Memory for a sum that is not in use, as the next sum is often as large. */
  #spare: Float32Array | undefined;

  constructor(limit: number = KEPT_BYTES) {
    this.#limit = limit;
  }

  /** Makes room for the copies of a panel that is used next. */
  use(panel: Panel): void {
    if (this.#panels.delete(panel)) this.#bytes -= panel.bytes;
    for (const earlier of this.#panels) {
      if (this.#bytes + panel.bytes <= this.#limit) break;
      earlier.drop();
      this.#panels.delete(earlier);
      this.#bytes -= earlier.bytes;
    }
    this.#panels.add(panel);
    this.#bytes += panel.bytes;
  }

  /** Returns memory for a sum of `length` elements, whatever they are. */
  takeSum(length: number): Float32Array {
    const spare = this.#spare;
    if (spare?.length !== length) return new Float32Array(length);
    this.#spare = undefined;
    return spare;
  }

  /** Takes memory for a sum back that nothing uses any more. */
  returnSum(sum: Float32Array): void {
    this.#spare = sum;
  }
}
