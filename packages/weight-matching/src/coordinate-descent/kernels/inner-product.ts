/** The addresses of the elements of one factor: element `(r, c)` at `rows[r] + columns[c]`. */
export interface Addresses {
  /** Offset of each row in the flat factor, `[rows]`. */
  readonly rows: Int32Array;
  /** Offset of each column from the beginning of its row, `[columns]`. */
  readonly columns: Int32Array;
}

/**
 * Computes the inner product of two tensors in f64, each read by separate addresses of the same extents. Rows
 * are summed one by one, four of them at a time, as an addition waits for the one before it of the same row.
 */
export function innerProduct(a: Float32Array, b: Float32Array, inA: Addresses, inB: Addresses): number {
  const [rowsA, rowsB] = [inA.rows, inB.rows];
  let total = 0;
  let r = 0;
  for (; r + 3 < rowsA.length; r += 4) {
    const [a0, a1, a2, a3] = [rowsA[r]!, rowsA[r + 1]!, rowsA[r + 2]!, rowsA[r + 3]!] as const;
    const [b0, b1, b2, b3] = [rowsB[r]!, rowsB[r + 1]!, rowsB[r + 2]!, rowsB[r + 3]!] as const;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let c = 0; c < inA.columns.length; c++) {
      const columnA = inA.columns[c]!;
      const columnB = inB.columns[c]!;
      s0 += a[a0 + columnA]! * b[b0 + columnB]!;
      s1 += a[a1 + columnA]! * b[b1 + columnB]!;
      s2 += a[a2 + columnA]! * b[b2 + columnB]!;
      s3 += a[a3 + columnA]! * b[b3 + columnB]!;
    }
    // One after the other: the order in which sums are added decides on their last bits.
    total = total + s0 + s1 + s2 + s3;
  }
  for (; r < rowsA.length; r++) {
    const baseA = rowsA[r]!;
    const baseB = rowsB[r]!;
    let sum = 0;
    for (let c = 0; c < inA.columns.length; c++) {
      sum += a[baseA + inA.columns[c]!]! * b[baseB + inB.columns[c]!]!;
    }
    total += sum;
  }
  return total;
}
