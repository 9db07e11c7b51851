/** A problem turned so that every element of the `short` side has a partner on the `long` side. */
export interface Side {
  /** Number of elements of the short side: the lesser of rows and columns. */
  readonly short: number;
  /** Number of elements of the long side, at least `short`. */
  readonly long: number;
  /** Returns the cost of a pair, negated when maximising. */
  readonly at: (s: number, l: number) => number;
  /** Duals of the long side, negated when maximising. */
  readonly duals: Float64Array;
  /** Partner of each element of the short side. */
  readonly partner: Int32Array;
}

/**
 * Computes how far the cost of a complete matching is above the bound that the duals of the long side prove,
 * term by term.
 */
export function gapOf(side: Side): number {
  const { short, long, duals, partner, at } = side;
  const square = short === long;
  let gap = 0;
  const used = new Uint8Array(long);
  for (let s = 0; s < short; ++s) {
    const l = partner[s]!;
    const v = duals[l]!;
    used[l] = 1;
    gap += at(s, l) - v - leastReducedCost(side, s);
    if (!square) gap += Math.max(v, 0);
  }
  for (let l = 0; l < long; ++l) if (used[l] === 0) gap -= Math.min(duals[l]!, 0);
  return gap;
}

/** Finds the least cost of an element of the short side, reduced by the duals of the long side. */
function leastReducedCost({ long, duals, at }: Side, s: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let l = 0; l < long; ++l) least = Math.min(least, at(s, l) - duals[l]!);
  return least;
}
