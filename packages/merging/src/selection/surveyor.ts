import type { Measured } from "../kernels/magnitudes.ts";

/** A range of positions in a tensor. */
export interface Span {
  /** First position of the range, in row-major order. */
  readonly begin: number;
  /** Position after the last one of the range. */
  readonly end: number;
}

/**
 * Collector of facts about a tensor in passes over its elements, which never needs all of them at once.
 * Several surveyors may share the passes over one tensor.
 */
export interface Surveyor {
  /** Positions that the next pass must cover; undefined once no further pass is needed. */
  readonly span: Span | undefined;
  /**
   * Whether an evenly spread sample of the span suffices for the next pass; more elements are allowed.
   * @defaultValue false
   */
  readonly takesSample?: boolean;
  /**
   * Examines a block of the pass. Blocks come in order, and together cover at least the span.
   * @param begin - position of the block's first element in the tensor
   */
  see(measured: Measured, begin: number): void;
  /** Ends the pass. */
  endPass(): void;
}
