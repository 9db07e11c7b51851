import { at } from "@isthmus/core";
import { bestAssignment } from "../closed-form/head-families.ts";
import { addInPlace } from "../closed-form/weight-grams.ts";
import { adamStep, createMoments, type LearningStep, type Moments } from "./moving-adam.ts";
import type { MatrixProduct } from "./row-products.ts";

/** Scores of how well each unit of placed B fits each place, as learning has found so far. */
export interface UnitScores {
  /** Scores `[places, units]`; they change from step to step. */
  readonly scores: Float64Array;
  /** Running means of the gradients of the scores, by which Adam steps. */
  readonly moments: Moments;
}

/** Creates scores that say nothing yet. */
export function createUnitScores(size: number): UnitScores {
  return { scores: new Float64Array(size * size), moments: createMoments(size * size) };
}

/** Share of the largest step in a generator that is the largest step in a score. */
const SCORE_SHARE = 0.15;

/**
 * Writes into scores the inner products of A's rows with B's, in units of the mean squares of both: as far as
 * weights say, they are largest for the units that are at their places already.
 *
 * @param products - products of rows of A and B, of A and A, and of B and B
 */
export function fillScoresInPlace(
  { scores }: UnitScores,
  [ofBoth, ofA, ofB]: readonly [Float64Array, Float64Array, Float64Array],
): void {
  const unit = Math.sqrt(traceOf(ofA) * traceOf(ofB)) / Math.sqrt(scores.length);
  ofBoth.forEach((value, i) => {
    scores[i] = unit > 0 ? value / unit : 0;
  });
}

/** Adds up the products of the rows of each movable symmetry. */
export function sumUnitProducts(
  products: readonly MatrixProduct[],
  sizes: readonly number[],
): Float64Array[] {
  const sums = sizes.map((size) => new Float64Array(size * size));
  for (const { space, product } of products) addInPlace(at(sums, space, "units"), product);
  return sums;
}

function traceOf(square: Float64Array): number {
  const size = Math.sqrt(square.length);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += at(square, i * (size + 1), "element");
  return sum;
}

/**
 * Makes a step of Adam in scores, and returns the places that units go to then: the assignment with the
 * largest sum. The gradient passes straight through it, as if the permutation were the scores.
 *
 * @param product - products of gradients by weights, for the present places
 * @param step - number of this step, from 1
 */
export function stepScores(
  { scores, moments }: UnitScores,
  product: Float64Array,
  { places, step, t, rate }: LearningStep & { readonly places: Int32Array; readonly step: number },
): Int32Array {
  const size = places.length;
  const gradient = new Float64Array(size * size);
  for (let place = 0; place < size; place++) {
    for (let k = 0; k < size; k++) {
      gradient[place * size + (places[k] as number)] = t * (product[place * size + k] as number);
    }
  }
  const direction = adamStep(gradient, moments, step);
  for (let i = 0; i < scores.length; i++)
    scores[i] = (scores[i] as number) - SCORE_SHARE * rate * (direction[i] as number);
  return bestAssignment(Float32Array.from(scores), size);
}
