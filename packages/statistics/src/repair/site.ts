/** A place of a graph where statistics are measured, and corrected before anything behind it is. */
export interface Site {
  /** Name of the node that uses what is measured; what it computes depends on the correction. */
  readonly node: string;
  /** The value that is measured. */
  readonly value: string;
  /** Axis of its units. */
  readonly axis: number;
  /** Name of the weight it is known by, for messages. */
  readonly label: string;
}
