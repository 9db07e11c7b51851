import type { Axis } from "./axis.ts";

/** A bar of a persistence barcode. */
export interface PersistenceBar {
  /** Name of the minimum in the table. */
  readonly name: string;
  /** Loss of the minimum. */
  readonly from: number;
  /** Loss at which it merges with a deeper one, or at which the picture ends. */
  readonly to: number;
  /** Whether it merges with none before the picture ends. */
  readonly endless: boolean;
}

/**
 * A persistence barcode: one bar for every minimum, from its height to the height at which it merges with a
 * deeper one.
 */
export interface BarcodePlot {
  /** Kind of the plot. */
  readonly kind: "barcode";
  /** Bars from the top. */
  readonly bars: readonly PersistenceBar[];
  /** Axis of the heights. */
  readonly axis: Axis;
}
