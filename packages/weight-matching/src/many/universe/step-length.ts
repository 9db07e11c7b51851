import { at } from "@isthmus/core";
import type { StepGram } from "./kernels/relax.ts";

/**
 * Finds the coefficients of the objective along a step: `|(1 - t)^2 x + t (1 - t) c + t^2 d|^2` is a
 * polynomial of degree 4 in `t`.
 * @returns `[5]`, of `t^0` to `t^4`
 */
export function stepPolynomial([xx, xc, xd, cc, cd, dd]: StepGram): number[] {
  // The bases (1 - t)^2, t (1 - t), t^2 as polynomials; their products weigh the inner products.
  const [u, v, w] = [
    [1, -2, 1],
    [0, 1, -1],
    [0, 0, 1],
  ] as const;
  const terms = [
    [xx, u, u],
    [2 * xc, u, v],
    [2 * xd, u, w],
    [cc, v, v],
    [2 * cd, v, w],
    [dd, w, w],
  ] as const;
  const polynomial = [0, 0, 0, 0, 0];
  for (const [factor, left, right] of terms) {
    left.forEach((a, i) => {
      right.forEach((b, j) => {
        polynomial[i + j] = at(polynomial, i + j, "power") + factor * a * b;
      });
    });
  }
  return polynomial;
}

/** Evaluates a polynomial. */
export function valueAt(polynomial: readonly number[], t: number): number {
  return polynomial.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
}

/** Intervals in which roots of the slope are looked for; a polynomial of degree 4 has at most 3. */
const INTERVALS = 64;

/** Halvings after which a root is exact in f64. */
const HALVINGS = 50;

/** Finds the place in `[0, 1]` at which a polynomial is greatest. */
export function bestStepOf(polynomial: readonly number[]): number {
  const slope = polynomial.slice(1).map((coefficient, i) => coefficient * (i + 1));
  const candidates = [0, 1];
  for (let i = 0; i < INTERVALS; i++) {
    let [low, high] = [i / INTERVALS, (i + 1) / INTERVALS];
    if (!(valueAt(slope, low) > 0 && valueAt(slope, high) <= 0)) continue;
    for (let k = 0; k < HALVINGS; k++) {
      const middle = (low + high) / 2;
      if (valueAt(slope, middle) > 0) low = middle;
      else high = middle;
    }
    candidates.push(high);
  }
  return candidates.reduce((best, t) => (valueAt(polynomial, t) > valueAt(polynomial, best) ? t : best));
}
