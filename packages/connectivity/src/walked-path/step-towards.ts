/** Cosine above which two directions are one, and below whose negative they are opposite. */
const PARALLEL = 1 - 1e-7;

/**
 * Moves weights a share of the way towards others, and gives them the variance between both.
 *
 * A step on the straight line would lose variance on the way, as the sum of two independent weights does:
 * `W' = mean + sqrt(v / s^2) (W - mean)` makes up for it (LLPF, 2026), where `v` changes evenly from one
 * deviation to the other. What is left of the mean turns on the arc between both, and equal shares of the
 * rest of the way are equal steps of it: `n` calls with the shares `1 / n`, `1 / (n - 1)`, and so on, the
 * last one 1, go evenly and end at the others bit for bit.
 *
 * Weights of one element, of one value, or that point the same or the opposite way move on the line.
 * @param from - where the weights are
 * @param to - where they go
 * @param share - share of the rest of the way, in `[0, 1]`
 * @param out - may be `from`
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

/** How two weights lie to each other. */
interface Comparison {
  readonly means: readonly [number, number];
  /** Norms of what is left of the means. */
  readonly norms: readonly [number, number];
  /** Cosine between what is left; NaN if one has a single value. */
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
