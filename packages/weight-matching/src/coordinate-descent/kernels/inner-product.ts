/** The addresses of the elements of one factor: element `(r, c)` at `rows[r] + columns[c]`. */
export interface Addresses {
  /** Offset of each row in the flat factor, `[rows]`. */
  readonly rows: Int32Array;
  /** Offset of each column from the beginning of its row, `[columns]`. */
  readonly columns: Int32Array;
}

/** Computes the inner product of two tensors in f64, each read by separate addresses of the same extents. */
export function innerProduct(a: Float32Array, b: Float32Array, inA: Addresses, inB: Addresses): number {
  let total = 0;
  for (let r = 0; r < inA.rows.length; r++) {
    const baseA = inA.rows[r]!;
    const baseB = inB.rows[r]!;
    let sum = 0;
    for (let c = 0; c < inA.columns.length; c++) {
      sum += a[baseA + inA.columns[c]!]! * b[baseB + inB.columns[c]!]!;
    }
    total += sum;
  }
  return total;
}
