import { at, type Random } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { randomPlacement, START_VERTICES } from "../../frank-wolfe/random-placement.ts";
import type { StepGram } from "./kernels/relax.ts";
import type { Universe } from "./universe.ts";
import type { UniverseNetwork } from "./universe-network.ts";

/** Intervals in which roots of the slope are looked for; a polynomial of degree 4 has at most 3. */
const INTERVALS = 64;

/** Halvings after which a root is exact in f64. */
const HALVINGS = 50;

/** Options of {@link relaxUniverse}. */
export interface RelaxUniverseOptions {
  /** Specification of the networks, whose symmetries are placed at random first. */
  readonly spec: SymmetrySpec;
  /** Indices of symmetries that are not moved. */
  readonly held: ReadonlySet<number>;
  /** Source of random numbers for the start inside the polytope. */
  readonly random: Random;
  /** Signal that stops the relaxation; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called with the estimated share that is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
}

/** Steps after which the relaxation is rounded in any case. */
const MAX_STEPS = 60;

/**
 * A step that gains less than this share of the objective is the last; polishing gains far more afterwards.
 */
const TOLERANCE = 3e-4;

/**
 * Finds places for all networks of a universe at once: maximises the sum over all pairs of the inner products
 * of their weights over relaxed permutations by Frank-Wolfe, and rounds to the nearest placements.
 *
 * No network is the reference: all start near the barycentre and move together, so their common structure
 * decides first. The objective along a step is a polynomial of degree 4, known from inner products of three
 * arrays, so the step is exact.
 *
 * @see Crisostomi et al. 2024 (C2M3), section 4 and algorithm 1. Differs from its code in: 1. any graph,
 *   nested symmetries included; 2. the exact step instead of fminbound; 3. a random start inside the polytope
 *   instead of one projected by Sinkhorn; 4. products with relaxed permutations are kept up to date by
 *   permuting instead of being multiplied anew; 5. the result is polished by `polishUniverse`.
 * @returns the number of steps; the networks are left in the placements that rounding found
 */
export async function relaxUniverse(universe: Universe, options: RelaxUniverseOptions): Promise<number> {
  const { random, signal, onProgress } = options;
  for (const network of universe.networks) startInside(network, options, random);
  universe.sumImages();
  let steps = 0;
  while (steps < MAX_STEPS) {
    await faceSteepest(universe, signal);
    const polynomial = objectiveAlongStep(universe);
    const t = bestStepOf(polynomial);
    const [before, after] = [valueAt(polynomial, 0), valueAt(polynomial, t)];
    if (!(after > before)) break;
    universe.step(t);
    onProgress(++steps / MAX_STEPS);
    if (after - before <= TOLERANCE * Math.abs(after)) break;
  }
  for (const network of universe.networks) network.place(network.rounded());
  universe.sumImages();
  return steps;
}

/** Puts a network at the mean of some random placements. */
function startInside(network: UniverseNetwork, options: RelaxUniverseOptions, random: Random): void {
  for (let k = 0; k < START_VERTICES; k++) {
    network.face(randomPlacement(options, random));
    network.step(1 / (k + 1));
  }
}

/** Turns every network to the placement for which the objective rises most while the others stay. */
async function faceSteepest(universe: Universe, signal: AbortSignal | undefined): Promise<void> {
  for (const network of universe.networks) {
    signal?.throwIfAborted();
    universe.turnTo(network);
    network.face(await network.steepest());
  }
}

/** Computes the objective along the step that all networks face, as a polynomial of its length. */
function objectiveAlongStep(universe: Universe): number[] {
  const polynomial = [0, 0, 0, 0, 0];
  const add = (gram: StepGram, factor: number) => {
    stepPolynomial(gram).forEach((coefficient, power) => {
      polynomial[power] = at(polynomial, power, "power") + factor * coefficient;
    });
  };
  for (const name of universe.names) {
    const { sum, networks } = universe.sumOf(name).measure();
    add(sum, 0.5);
    for (const gram of networks) add(gram, -0.5);
  }
  return polynomial;
}

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
