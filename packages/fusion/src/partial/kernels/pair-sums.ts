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
 * Adds the contributions of a weight's slices to the sums of their units.
 * @param a - `[outer, extent, inner]`
 * @param b - weight of B in the coordinates of A, of the shape of `a`
 * @param axis - axis of units; `from` has the unit at each position, or -1
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
