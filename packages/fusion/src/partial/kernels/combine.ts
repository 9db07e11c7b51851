/**
 * Description of the elements of a weight of the wide network in runs; all elements of a run have the same
 * shares.
 */
export interface CombinedRuns {
  /** Offset into the weight of A, and of B in the coordinates of A, of each run, `[runs]`. */
  readonly offsets: Int32Array;
  /** Shares of A and of B in each run, `[runs, 2]`. */
  readonly shares: Float32Array;
  /** Number of elements of a run. */
  readonly length: number;
}

/**
 * Computes each run of a weight as a weighted sum of runs of A and B.
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
      // A share of 0 leaves a weight out, even if it is NaN or infinite.
      const inA = ofA === 0 ? 0 : ofA * a[start + i]!;
      const inB = ofB === 0 ? 0 : ofB * b[start + i]!;
      out[to++] = inA + inB;
    }
  }
}
