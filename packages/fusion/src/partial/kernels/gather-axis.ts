import type { TensorData } from "@isthmus/core";

/** One axis of a tensor, and the positions along it that are taken. */
export interface GatheredAxis {
  /** Extent of the axis before positions are taken. */
  readonly extent: number;
  /** Number of elements of each position: the product of the extents after the axis. */
  readonly inner: number;
  /** Old position for each new position. */
  readonly from: Int32Array;
}

/**
 * Copies positions along one axis.
 * @param x - `[outer, extent, inner]`
 * @param out - `[outer, from.length, inner]`, of the same element type
 */
export function gatherAxis(x: TensorData, { extent, inner, from }: GatheredAxis, out: TensorData): void {
  const outer = x.length / (extent * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < from.length; i++) {
      const start = (o * extent + from[i]!) * inner;
      for (let e = 0; e < inner; e++) out[to++] = x[start + e]!;
    }
  }
}
