/** Elements of a weight of the wide network, in runs that are alike. */
export interface CombinedRuns {
  /** Offset into the weight of A, and of B in the coordinates of A, of each run, `[runs]`. */
  readonly offsets: Int32Array;
  /** Shares of A and of B in each run, `[runs, 2]`. */
  readonly shares: Float32Array;
  /** Elements of a run. */
  readonly length: number;
}

/**
 * Computes each run of a weight as a weighted sum of two.
 * @param out - `[runs, length]`
 */
export function combineInto(
  a: Float32Array,
  b: Float32Array,
  { offsets, shares, length }: CombinedRuns,
  out: Float32Array,
): void {
  let to = 0;
  for (let run = 0; run < offsets.length; run++) {
    const start = offsets[run]!;
    const ofA = shares[2 * run]!;
    const ofB = shares[2 * run + 1]!;
    for (let i = 0; i < length; i++) {
      // A share of 0 leaves a weight out, whatever it is.
      const inA = ofA === 0 ? 0 : ofA * a[start + i]!;
      const inB = ofB === 0 ? 0 : ofB * b[start + i]!;
      out[to++] = inA + inB;
    }
  }
}
