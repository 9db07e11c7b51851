import { at, createRandom, OutOfRangeError, type Random, sumOf } from "@isthmus/core";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/** Options of {@link createCmaEs}. */
export interface CmaEsOptions {
  /** Centre of the first candidates, one number for each coordinate. */
  readonly start: readonly number[];
  /** Standard deviation of the first candidates in every coordinate, above 0. */
  readonly sigma: number;
  /** Number of candidates of a generation, at least 4. @defaultValue `4 + floor(3 log(coordinates))` */
  readonly population?: number;
  /** Seed of the candidates, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
}

/** Reason for which a search stops. */
export type CmaEsStop = "converged" | "flat" | "ill-conditioned";

/** A search for the least value of a function, which uses its values only, not its gradients. */
export interface CmaEs {
  /** Draws the candidates of the next generation, each with one number for each coordinate. */
  ask(): readonly (readonly number[])[];
  /** Learns the values of the candidates of the last `ask`, in their order; smaller values are better. */
  tell(values: readonly number[]): void;
  /** Centre of the search, which is the best guess if values are noisy. */
  readonly mean: readonly number[];
  /** Reason for which the search has stopped; undefined while it may still improve. */
  readonly stopped: CmaEsStop | undefined;
}

/** Spread of candidates, as a share of the first spread, below which the search has converged. */
const CONVERGED = 1e-6;
/** Largest condition number of the covariance for which doubles are precise enough. */
const ILL_CONDITIONED = 1e14;
/** Number of generations with equal best values after which the function counts as flat. */
const FLAT_GENERATIONS = 12;

/**
 * Creates a search by the evolution strategy CMA-ES (Hansen, The CMA evolution strategy: a tutorial, 2016,
 * figure 6, with its default constants and without active update). The same seed and values give the same
 * candidates.
 *
 * @throws OutOfRangeError if there are no coordinates, or an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCmaEs } from "@isthmus/recipe";
 *
 * const search = createCmaEs({ start: [0, 0], sigma: 0.5 });
 * while (search.stopped === undefined)
 *   search.tell(search.ask().map(([x = 0, y = 0]) => (x - 1) ** 2 + 10 * (y + 2) ** 2));
 * assert(search.mean.every((x, i) => Math.abs(x - [1, -2][i]!) < 1e-3));
 * ```
 */
export function createCmaEs({ start, sigma, population, seed = 0 }: CmaEsOptions): CmaEs {
  const size = start.length;
  if (size === 0)
    throw new OutOfRangeError("Cannot search as there must be at least one coordinate: got none");
  if (!(sigma > 0 && Number.isFinite(sigma)))
    throw new OutOfRangeError(`Cannot search as sigma must be above 0: it is ${sigma}`);
  const count = population ?? 4 + Math.floor(3 * Math.log(size));
  assertPopulation(count);
  return new Search(start, sigma, strategyOf(size, count), createRandom(seed, "cma-es"));
}

/** Constants of the strategy (tutorial, table 1). */
interface Strategy extends Selection {
  readonly size: number;
  readonly count: number;
  readonly meanPath: number;
  readonly sizePath: number;
  readonly damping: number;
  readonly rankOne: number;
  readonly rankMany: number;
  /** Mean length of a standard normal vector. */
  readonly normalLength: number;
}

/**
 * Asserts that a generation has enough candidates to learn from the better half.
 * @throws OutOfRangeError if it has not
 */
export function assertPopulation(count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 4))
    throw new OutOfRangeError(`Cannot search as a population needs at least 4 candidates: got ${count}`);
}

/** Weights by which a generation is learned from. */
export interface Selection {
  /** Weights of the best candidates, in falling order and with sum 1. */
  readonly weights: readonly number[];
  /** Variance-effective number of the best candidates. */
  readonly effective: number;
}

/** Returns the weights of the better half of a generation of `count` candidates. */
export function selectionOf(count: number): Selection {
  const best = Math.floor(count / 2);
  const raw = Array.from({ length: best }, (_, i) => Math.log((count + 1) / 2) - Math.log(i + 1));
  const sum = sumOf(raw);
  const weights = raw.map((weight) => weight / sum);
  return { weights, effective: 1 / weights.reduce((total, weight) => total + weight ** 2, 0) };
}

/**
 * Returns the positions of values from the smallest to the largest; values that are not numbers come last.
 */
export function bestFirst(values: readonly number[]): readonly number[] {
  const rank = (value: number) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value);
  // A difference of two infinities is not a number, so that values are compared.
  const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
  return [...values.keys()].sort((i, j) => compare(rank(at(values, i)), rank(at(values, j))) || i - j);
}

/** Checks whether the best values of the latest generations are equal. */
export function isFlat(best: readonly number[]): boolean {
  const recent = best.slice(-FLAT_GENERATIONS);
  return recent.length === FLAT_GENERATIONS && Math.max(...recent) === Math.min(...recent);
}

function strategyOf(size: number, count: number): Strategy {
  const { weights, effective } = selectionOf(count);
  const sizePath = (effective + 2) / (size + effective + 5);
  const rankOne = 2 / ((size + 1.3) ** 2 + effective);
  const many = (2 * (effective - 2 + 1 / effective)) / ((size + 2) ** 2 + effective);
  return {
    size,
    count,
    weights,
    effective,
    sizePath,
    rankOne,
    meanPath: (4 + effective / size) / (size + 4 + (2 * effective) / size),
    damping: 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (size + 1)) - 1) + sizePath,
    rankMany: Math.min(1 - rankOne, many),
    normalLength: Math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size ** 2)),
  };
}

class Search implements CmaEs {
  readonly #strategy: Strategy;
  readonly #random: Random;
  readonly #firstSigma: number;
  #mean: number[];
  #sigma: number;
  #covariance: Matrix;
  /** Eigenvectors of the covariance as columns; `#deviations` has the standard deviations along them. */
  #axes: Matrix;
  #deviations: number[];
  #sizePath: number[];
  #meanPath: number[];
  #generation = 0;
  #steps: readonly (readonly number[])[] = [];
  #best: number[] = [];
  #stopped: CmaEsStop | undefined;

  constructor(start: readonly number[], sigma: number, strategy: Strategy, random: Random) {
    this.#strategy = strategy;
    this.#random = random;
    this.#firstSigma = sigma;
    this.#mean = [...start];
    this.#sigma = sigma;
    this.#covariance = Matrix.eye(strategy.size);
    this.#axes = Matrix.eye(strategy.size);
    this.#deviations = start.map(() => 1);
    this.#sizePath = start.map(() => 0);
    this.#meanPath = start.map(() => 0);
  }

  get mean(): readonly number[] {
    return this.#mean;
  }

  get stopped(): CmaEsStop | undefined {
    return this.#stopped;
  }

  ask(): readonly (readonly number[])[] {
    const { size, count } = this.#strategy;
    this.#steps = Array.from({ length: count }, () => {
      const scaled = this.#deviations.map((deviation) => deviation * this.#random.normal());
      return Array.from({ length: size }, (_, i) => dot(this.#axes.getRow(i), scaled));
    });
    return this.#steps.map((step) => step.map((x, i) => at(this.#mean, i, "coordinate") + this.#sigma * x));
  }

  tell(values: readonly number[]): void {
    if (values.length !== this.#steps.length || values.length === 0) {
      throw new OutOfRangeError(
        `Cannot learn from ${values.length} values as each of the ${this.#steps.length} candidates that were asked needs one`,
      );
    }
    const order = bestFirst(values);
    const best = this.#strategy.weights.map((_, k) => at(this.#steps, at(order, k, "candidate"), "step"));
    this.#generation++;
    this.#move(best);
    this.#decompose();
    this.#best.push(at(values, at(order, 0, "candidate"), "value"));
    this.#steps = [];
    this.#stopped = this.#findStop();
  }

  /** Moves the centre to the best candidates and adapts both paths, the covariance and the step size. */
  #move(best: readonly (readonly number[])[]): void {
    const { size, weights, effective, sizePath, meanPath, damping, rankOne, rankMany, normalLength } =
      this.#strategy;
    const step = Array.from({ length: size }, (_, i) =>
      weights.reduce((sum, weight, k) => sum + weight * at(at(best, k, "step"), i, "coordinate"), 0),
    );
    this.#mean = this.#mean.map((x, i) => x + this.#sigma * at(step, i, "coordinate"));
    const whitened = this.#whiten(step);
    const sizeGain = Math.sqrt(sizePath * (2 - sizePath) * effective);
    this.#sizePath = this.#sizePath.map(
      (x, i) => (1 - sizePath) * x + sizeGain * at(whitened, i, "coordinate"),
    );
    const length = Math.hypot(...this.#sizePath);
    const unbiased = length / Math.sqrt(1 - (1 - sizePath) ** (2 * this.#generation));
    // The covariance is not widened while the step size still grows fast.
    const isSteady = unbiased < (1.4 + 2 / (size + 1)) * normalLength;
    const meanGain = isSteady ? Math.sqrt(meanPath * (2 - meanPath) * effective) : 0;
    this.#meanPath = this.#meanPath.map((x, i) => (1 - meanPath) * x + meanGain * at(step, i, "coordinate"));
    const lost = isSteady ? 0 : meanPath * (2 - meanPath);
    this.#covariance.mul(1 - rankOne - rankMany + rankOne * lost);
    addOuter(this.#covariance, this.#meanPath, rankOne);
    for (const [k, weight] of weights.entries())
      addOuter(this.#covariance, at(best, k, "step"), rankMany * weight);
    this.#sigma *= Math.exp(Math.min(1, (sizePath / damping) * (length / normalLength - 1)));
  }

  /** Multiplies a step by the inverse square root of the covariance. */
  #whiten(step: readonly number[]): number[] {
    const along = this.#deviations.map((deviation, k) => dot(this.#axes.getColumn(k), step) / deviation);
    return step.map((_, i) => dot(this.#axes.getRow(i), along));
  }

  #decompose(): void {
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(this.#covariance, {
      assumeSymmetric: true,
    });
    this.#axes = eigenvectorMatrix;
    this.#deviations = realEigenvalues.map((value) => Math.sqrt(Math.max(value, Number.MIN_VALUE)));
  }

  #findStop(): CmaEsStop | undefined {
    const [most, least] = [Math.max(...this.#deviations), Math.min(...this.#deviations)];
    if (this.#sigma * most < CONVERGED * this.#firstSigma) return "converged";
    if ((most / least) ** 2 > ILL_CONDITIONED) return "ill-conditioned";
    return isFlat(this.#best) ? "flat" : undefined;
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * at(b, i, "coordinate"), 0);
}

/** Adds `factor x xᵀ` to a square matrix in place. */
function addOuter(matrix: Matrix, x: readonly number[], factor: number): void {
  for (const [i, a] of x.entries())
    for (const [j, b] of x.entries()) matrix.set(i, j, matrix.get(i, j) + factor * a * b);
}
