/**
 * A place of a graph where statistics are measured and weights corrected, before any later site is measured.
 */
export interface Site {
  /** Name of the node that reads the measured value; its result depends on the correction. */
  readonly node: string;
  /** Name of the value that is measured. */
  readonly value: string;
  /** Axis of the measured value along which its units lie. */
  readonly axis: number;
  /** Name of a weight of the site, for messages. */
  readonly label: string;
}
