import type { GatheredAxis } from "./gather-axis.ts";

/** Sums over the elements of each unit of two networks. */
export interface PairSums {
  /** Sums of products of A's and B's elements, `[units]`. */
  readonly products: Float64Array;
  /** Sums of squares of A's elements, `[units]`. */
  readonly squaresA: Float64Array;
  /** Sums of squares of B's elements, `[units]`. */
  readonly squaresB: Float64Array;
}

/**
 * Adds to the sums of each unit what its slices of a weight contribute.
 * @param a - `[outer, extent, inner]`
 * @param b - of the shape of `a`; B in the coordinates of A
 * @param axis - `from` is the unit at each position of the axis, or -1
 */
export function addPairSums(a: Float32Array, b: Float32Array, axis: GatheredAxis, sums: PairSums): void {
  const { extent, inner, from } = axis;
  const { products, squaresA, squaresB } = sums;
  const outer = a.length / (extent * inner);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let position = 0; position < extent; position++) {
      const unit = from[position]!;
      const end = i + inner;
      if (unit < 0) {
        i = end;
        continue;
      }
      let product = 0;
      let squareA = 0;
      let squareB = 0;
      for (; i < end; i++) {
        const x = a[i]!;
        const y = b[i]!;
        product += x * y;
        squareA += x * x;
        squareB += y * y;
      }
      products[unit]! += product;
      squaresA[unit]! += squareA;
      squaresB[unit]! += squareB;
    }
  }
}
