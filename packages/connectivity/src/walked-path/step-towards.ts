/** Cosine above which two directions count as the same, and below whose negative they count as opposite. */
const PARALLEL = 1 - 1e-7;

/**
 * Moves weights by a share of the distance towards others, and gives them a variance between the variances of
 * both.
 *
 * A step on the straight line would lose variance, as the sum of two independent weights does:
 * `W' = mean + sqrt(v / s^2) (W - mean)` makes up for it (LLPF, 2026), where the root of `v` changes evenly
 * from one standard deviation to the other. The deviations from the mean turn on the arc between both
 * weights, and equal shares of the rest of the path are equal steps on the arc: `n` calls with the shares
 * `1 / n`, `1 / (n - 1)`, and so on, the last one 1, advance evenly and end at the target bit for bit.
 *
 * Weights that have one element or a single value, or that point in the same or the opposite direction, move
 * on the straight line.
 * @param from - weights at the start of the step
 * @param to - target of the weights
 * @param share - share of the remaining distance, in `[0, 1]`
 * @param out - weights after the step; may be the array `from`
 */
export function stepTowardsInto(
  from: Float32Array,
  to: Float32Array,
  share: number,
  out: Float32Array,
): void {
  if (share === 1) {
    out.set(to);
    return;
  }
  const { means, norms, cosine } = compare(from, to);
  const isArc = Math.abs(cosine) < PARALLEL;
  const angle = isArc ? Math.acos(cosine) : 0;
  const norm = (1 - share) * norms[0] + share * norms[1];
  const mean = (1 - share) * means[0] + share * means[1];
  const a = isArc ? ((Math.sin((1 - share) * angle) / Math.sin(angle)) * norm) / norms[0] : 1 - share;
  const b = isArc ? ((Math.sin(share * angle) / Math.sin(angle)) * norm) / norms[1] : share;
  for (let i = 0; i < out.length; i++) {
    out[i] = mean + a * ((from[i] as number) - means[0]) + b * ((to[i] as number) - means[1]);
  }
}

/** Means, norms and angle of two weights. */
interface Comparison {
  readonly means: readonly [number, number];
  /** Norms of the deviations from the means. */
  readonly norms: readonly [number, number];
  /** Cosine of the angle between the deviations; NaN if one of the weights has a single value. */
  readonly cosine: number;
}

function compare(x: Float32Array, y: Float32Array): Comparison {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let squareX = 0;
  let squareY = 0;
  let product = 0;
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [(x[i] as number) - meanX, (y[i] as number) - meanY];
    squareX += dx * dx;
    squareY += dy * dy;
    product += dx * dy;
  }
  const norms = [Math.sqrt(squareX), Math.sqrt(squareY)] as const;
  return { means: [meanX, meanY], norms, cosine: product / (norms[0] * norms[1]) };
}

function meanOf(x: Float32Array): number {
  let sum = 0;
  for (const value of x) sum += value;
  return sum / x.length;
}
