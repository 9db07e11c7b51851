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
}
