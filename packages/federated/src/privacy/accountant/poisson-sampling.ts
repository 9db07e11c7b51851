import { logAdd, logErfc } from "./log-space.ts";

/** Number of terms after which an order that has not converged is left out. */
const MOST_TERMS = 1000;

/**
 * Computes `(order - 1)` times the Renyi divergence of a Gaussian sum over clients that take part with
 * probability `q` each: the logarithm of A of Mironov et al.
 * @param q - probability of each client, in `(0, 1)`
 * @param sigma - noise multiplier, above 0
 * @param order - above 1
 * @returns infinity if the series does not converge, so that the order is not used
 * @see Mironov, Talwar and Zhang, Renyi differential privacy of the sampled Gaussian mechanism, 2019, section
 * 3.3. As dp-accounting 0.6 does, terms of fractional orders are added by their size, whatever their sign: an
 * upper bound, and a close one, as negative terms come only after the order and are small.
 */
export function logMomentOfPoisson(q: number, sigma: number, order: number): number {
  return Number.isInteger(order) ? ofWholeOrder(q, sigma, order) : ofFractionalOrder(q, sigma, order);
}

function ofWholeOrder(q: number, sigma: number, order: number): number {
  const [logQ, logRest] = [Math.log(q), Math.log1p(-q)];
  let sum = Number.NEGATIVE_INFINITY;
  let logBinomial = 0;
  for (let i = 0; i <= order; i++) {
    sum = logAdd(sum, logBinomial + i * logQ + (order - i) * logRest + (i * i - i) / (2 * sigma ** 2));
    logBinomial += Math.log((order - i) / (i + 1));
  }
  return sum;
}

/**
 * Sums the integrals over both sides of `middle`, each expanded by the binomial series that converges there.
 */
function ofFractionalOrder(q: number, sigma: number, order: number): number {
  const [logQ, logRest] = [Math.log(q), Math.log1p(-q)];
  const middle = sigma ** 2 * Math.log(1 / q - 1) + 0.5;
  const width = Math.SQRT2 * sigma;
  let [below, above] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [lastBelow, lastAbove] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let logBinomial = 0;
  for (let i = 0; i < MOST_TERMS; i++) {
    const j = order - i;
    const termBelow =
      logBinomial +
      i * logQ +
      j * logRest +
      (i * i - i) / (2 * sigma ** 2) +
      logHalfErfc((i - middle) / width);
    const termAbove =
      logBinomial +
      j * logQ +
      i * logRest +
      (j * j - j) / (2 * sigma ** 2) +
      logHalfErfc((middle - j) / width);
    below = logAdd(below, termBelow);
    above = logAdd(above, termAbove);
    const sum = logAdd(below, above);
    if (termBelow < lastBelow && termAbove < lastAbove && Math.max(termBelow, termAbove) < sum - 30)
      return sum;
    [lastBelow, lastAbove] = [termBelow, termAbove];
    logBinomial += Math.log(Math.abs((order - i) / (i + 1)));
  }
  return Number.POSITIVE_INFINITY;
}

function logHalfErfc(x: number): number {
  return logErfc(x) - Math.LN2;
}
