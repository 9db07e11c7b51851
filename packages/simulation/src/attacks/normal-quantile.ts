import { at } from "@isthmus/core";

/** Coefficients of Acklam's rational approximation: numerators and denominators, middle and tails. */
const MIDDLE = {
  a: [
    -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
    2.506628277459239,
  ],
  b: [
    -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
    -1.328068155288572e1, 1,
  ],
} as const;
const TAIL = {
  c: [
    -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  d: [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
} as const;
/** Share below which the tails begin. */
const TAIL_SHARE = 0.02425;

/**
 * Returns the quantile of the standard normal distribution for a probability, by Acklam's approximation,
 * whose relative error is below 1.2e-9.
 * @param share - probability, in `(0, 1)`
 */
export function normalQuantile(share: number): number {
  if (share > 0.5) return -normalQuantile(1 - share);
  if (share < TAIL_SHARE) {
    const q = Math.sqrt(-2 * Math.log(share));
    return polynomial(TAIL.c, q) / polynomial(TAIL.d, q);
  }
  const q = share - 0.5;
  return (polynomial(MIDDLE.a, q * q) * q) / polynomial(MIDDLE.b, q * q);
}

/** Evaluates a polynomial, the coefficient of the highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let i = 0; i < coefficients.length; i++) value = value * x + at(coefficients, i);
  return value;
}
