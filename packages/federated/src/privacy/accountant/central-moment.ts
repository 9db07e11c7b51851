import { logAdd } from "./log-space.ts";

/**
 * Distance of points of the integral; the trapezoidal rule's error is far below rounding, as integrands are
 * analytic.
 */
const STEP = 0.1;
/**
 * Number of points on either side of a peak: the integrand falls at least as fast as a Gaussian of deviation
 * 1.
 */
const REACH = 120;

/**
 * Computes the logarithm of the even central moment `E[(L - 1)^k]` of the likelihood ratio `L` between two
 * Gaussians of deviation `sigma` whose means differ by 1, for a sample from the second: the forward
 * difference of order `k` of Wang et al., 2019, theorem 27.
 *
 * With `w` standard normal `L` is `exp(w / sigma - 1 / (2 sigma^2))`. The integrand is log-concave on both
 * sides of its zero at `L = 1`, and is summed around the peak of each. All terms are positive: nothing
 * cancels.
 * @param k - even, at least 0
 */
export function logCentralMoment(k: number, sigma: number): number {
  if (k === 0) return 0;
  const zero = 1 / (2 * sigma);
  const logRatio = (w: number) => (w - zero) / sigma;
  const logIntegrand = (w: number) => (-w * w) / 2 + k * logDistance(logRatio(w));
  const slope = (w: number) => -w + k / sigma / -Math.expm1(-logRatio(w));
  const root = Math.sqrt(k);
  const right = findPeak(slope, zero, zero + k / sigma + root);
  const left = findPeak(slope, -root - 1, zero);
  const firstRight = Math.ceil(zero / STEP);
  let sum = Number.NEGATIVE_INFINITY;
  const centre = Math.round(right / STEP);
  for (let i = Math.max(firstRight, centre - REACH); i <= centre + REACH; i++) {
    sum = logAdd(sum, logIntegrand(i * STEP));
  }
  const leftCentre = Math.round(left / STEP);
  for (let i = leftCentre - REACH; i < Math.min(firstRight, leftCentre + REACH); i++) {
    sum = logAdd(sum, logIntegrand(i * STEP));
  }
  return sum + Math.log(STEP) - Math.log(2 * Math.PI) / 2;
}

/** Returns `log(|exp(x) - 1|)`. */
function logDistance(x: number): number {
  return x > 0 ? x + Math.log(-Math.expm1(-x)) : Math.log(-Math.expm1(x));
}

/** Finds the position at which a falling slope is 0, to well within a step. */
function findPeak(slope: (w: number) => number, begin: number, end: number): number {
  let [low, high] = [begin, end];
  while (high - low > STEP / 2) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
