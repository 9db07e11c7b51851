import type { Measured } from "../kernels/magnitudes.ts";

/** A range of positions in a tensor. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/**
 * Something that learns about a tensor in passes over its elements, so that it never needs them all at once.
 * Several may share the passes of one tensor.
 */
export interface Surveyor {
  /** What the next pass must cover; undefined once nothing more is needed. */
  readonly span: Span | undefined;
  /**
   * Whether a sample of the span, evenly spread, does for the next pass; more does no harm.
   * @defaultValue false
   */
  readonly takesSample?: boolean;
  /**
   * Looks at a block of the pass; blocks come from first to last and together cover the span, or more.
   * @param begin - position of the first of them in the tensor
   */
  see(measured: Measured, begin: number): void;
  /** Ends the pass. */
  endPass(): void;
}
