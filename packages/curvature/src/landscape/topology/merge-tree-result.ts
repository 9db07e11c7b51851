/** A minimum of a grid: a leaf of its merge tree. */
export interface TreeMinimum {
  /** Its place, in row-major order. */
  readonly index: number;
  readonly value: number;
  /**
   * True if it is the first or the last place along an axis, else absent: beyond the grid, values may fall
   * further, so that it need not be a minimum of anything but the grid.
   */
  readonly onEdge?: true;
  /** Index of the saddle at which its branch first meets another; absent if it meets none. */
  readonly saddle?: number;
  /** Index of the saddle at which it meets a deeper minimum; absent if it meets none. */
  readonly merge?: number;
  /**
   * How far it rises to the saddle at which it meets a deeper minimum; where it meets none, to the highest
   * value.
   */
  readonly persistence: number;
  /** Number of places from which the steepest way down ends in it, or in what was left out beside it. */
  readonly basin: number;
}

/** A saddle of a grid: a node of its merge tree, at which two branches or more meet. */
export interface TreeSaddle {
  /** Its place, in row-major order. */
  readonly index: number;
  readonly value: number;
  /** Index of the saddle at which what was joined here meets another branch; absent at the root. */
  readonly parent?: number;
}

/** The merge tree of the values on a grid: how the parts below a level appear and join as it rises. */
export interface MergeTree {
  /** Extents of the grid. */
  readonly shape: readonly number[];
  /** The deepest first. */
  readonly minima: readonly TreeMinimum[];
  /** The lowest first. */
  readonly saddles: readonly TreeSaddle[];
  /** Difference of the highest and the lowest finite value. */
  readonly range: number;
  /** Number of places without a finite value, which nothing leads through. */
  readonly missing: number;
}
