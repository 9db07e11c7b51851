import type { Value } from "@isthmus/graph/builder";

/** Extents of a transformer whose tokens see each other, with its activation. */
export interface EncoderExtents {
  /** Width of the residual stream. */
  readonly width: number;
  /** Number of blocks. */
  readonly depth: number;
  /** Number of heads of each attention; divides the width. */
  readonly heads: number;
  /** Number of hidden units of each feed-forward network. */
  readonly hidden: number;
  /** Epsilon of the norms. */
  readonly epsilon: number;
  /** Function of the hidden units of each feed-forward network. */
  readonly activation: (x: Value) => Value;
}
