import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { times } from "../matrices/square-matrices.ts";
import type { Moments } from "./moving-adam.ts";

/** Rules by which a step in a matrix may be made of gradients. */
export const LEARNED_RULES = ["adam", "orthogonal"] as const;

/** One of {@link LEARNED_RULES}. */
export type LearnedRule = (typeof LEARNED_RULES)[number];

/** Share of the mean of gradients that the next step keeps. */
const DECAY = 0.9;

/** Root of the mean square of a step's elements, about the size of Adam's if gradients are mostly noise. */
const SIZE_OF_ELEMENTS = 0.2;

/** Coefficients of the polynomial `a x + b x^3 + c x^5` that brings singular values near 1. */
const [A, B, C] = [3.4445, -4.775, 2.0315];

/** Times the polynomial is applied: singular values from .01 of the norm on are then in `[0.6, 1.3]`. */
const ITERATIONS = 5;

/**
 * Updates the mean of gradients and returns the step: about the orthogonal factor of the mean, in which all
 * directions have one length. For a skew gradient the step is skew, and directions that the gradient does not
 * change stay.
 *
 * @param gradient - `[size, size]`
 * @see Jordan et al., Muon (2024), with Nesterov's momentum
 */
export function orthogonalStep(gradient: Float64Array, { mean }: Moments, size: number): Float64Array {
  let norm = 0;
  const ahead = new Float64Array(gradient.length);
  for (let i = 0; i < gradient.length; i++) {
    const value = gradient[i] as number;
    const next = DECAY * (mean[i] as number) + (1 - DECAY) * value;
    mean[i] = next;
    const moved = (1 - DECAY) * value + DECAY * next;
    ahead[i] = moved;
    norm += moved * moved;
  }
  if (norm === 0) return ahead;
  let current: Float64Array = ahead.map((value) => value / Math.sqrt(norm));
  for (let k = 0; k < ITERATIONS; k++) {
    const matrix = createMatrix(size, size, current);
    const gram = multiply(matrix, matrix, { transposeRight: true }).data as Float64Array;
    const square = times(gram, gram, size);
    const factor = gram.map((value, i) => B * value + C * (square[i] as number));
    const more = times(factor, current, size);
    current = current.map((value, i) => A * value + (more[i] as number));
  }
  return current.map((value) => SIZE_OF_ELEMENTS * Math.sqrt(size) * value);
}
