import type { Matrix } from "@isthmus/linear-algebra";

/**
 * Adds for each row the factor, at least `alpha`, by which the row of a network best fits the merged row: the
 * inner product of both rows divided by the squared length of the network's row.
 */
export function calibrateRows(
  merged: Matrix,
  part: Matrix,
  { alpha, agreements }: { readonly alpha: number; readonly agreements: Float64Array },
): void {
  for (let r = 0; r < merged.rows; r++) {
    let product = 0;
    let square = 0;
    for (let j = r * merged.columns; j < (r + 1) * merged.columns; j++) {
      product += merged.data[j]! * part.data[j]!;
      square += part.data[j]! * part.data[j]!;
    }
    // A network without a part in this direction counts with the least agreement.
    agreements[r] = agreements[r]! + (square > 0 ? Math.max(alpha, product / square) : alpha);
  }
}
