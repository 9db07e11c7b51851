import type { TensorInfo } from "@isthmus/core";

/**
 * A data input for the mask of a dropout, of the element type and shape of the value it multiplies: 0 for an
 * element that is dropped, else `1 / (1 - ratio)`.
 */
export interface MaskInput extends TensorInfo {
  /** Name of the data input. */
  readonly name: string;
  /** Share of elements that are dropped, in `(0, 1)`. */
  readonly ratio: number;
}
