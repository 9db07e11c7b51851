import type { TensorInfo } from "@isthmus/core";

/** A mask of dropout, as a data input of the dropped value's element type: 0 where dropped, else `1 / (1 - ratio)`. */
export interface MaskInput extends TensorInfo {
  readonly name: string;
  /** Share of elements that are dropped, in `(0, 1)`. */
  readonly ratio: number;
}
