/** A minimum of a grid: a leaf of its merge tree. */
export interface TreeMinimum {
  /** Index of the minimum's place, in row-major order. */
  readonly index: number;
  /** Value at the minimum. */
  readonly value: number;
  /**
   * True if the minimum is the first or the last place along an axis, else absent: beyond the grid, values
   * may fall further, so that it may be a minimum of the grid only.
   */
  readonly onEdge?: true;
  /** Index of the saddle at which the minimum's branch first meets another; absent if it meets none. */
  readonly saddle?: number;
  /** Index of the saddle at which the minimum meets a deeper one; absent if it meets none. */
  readonly merge?: number;
  /**
   * Rise of the values from the minimum to the saddle at which it meets a deeper one, or to the highest value
   * if it meets none.
   */
  readonly persistence: number;
  /**
   * Number of places from which the steepest way down ends in the minimum, or in a minimum that was left out
   * and counts to it.
   */
  readonly basin: number;
}

/** A saddle of a grid: a node of its merge tree, at which two branches or more meet. */
export interface TreeSaddle {
  /** Index of the saddle's place, in row-major order. */
  readonly index: number;
  /** Value at the saddle. */
  readonly value: number;
  /** Index of the saddle at which the branch joined here meets another one; absent at the root. */
  readonly parent?: number;
}

/**
 * Merge tree of the values on a grid: it records how the parts below a level appear and join as the level
 * rises.
 */
export interface MergeTree {
  /** Extents of the grid. */
  readonly shape: readonly number[];
  /** Minima, the deepest first. */
  readonly minima: readonly TreeMinimum[];
  /** Saddles, the lowest first. */
  readonly saddles: readonly TreeSaddle[];
  /** Difference of the highest and the lowest finite value. */
  readonly range: number;
  /** Number of places without a finite value, which no path passes through. */
  readonly missing: number;
}
