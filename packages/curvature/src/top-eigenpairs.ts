import { assertWholeOptions, createRandom, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { type CountedProducts, countProducts } from "./counted-products.ts";
import { directionBeside, lanczos, spaceEigen } from "./lanczos.ts";
import { type LinearOperator, PRODUCT_DEFAULTS, type ProductOptions } from "./linear-operator.ts";
import {
  type Eigenpair,
  placesAt,
  type RitzSpace,
  ritzPair,
  ritzResidual,
  SPECTRUM_ENDS,
  type SpectrumEnd,
  spectrumSize,
} from "./ritz-pairs.ts";

/** Options of {@link topEigenpairs}. */
export interface TopEigenpairsOptions extends ProductOptions {
  /** Number of eigenvalues at each end, at least 1. @defaultValue 10 */
  readonly count?: number;
  /** Ends of the spectrum at which eigenvalues are computed. @defaultValue "largest" */
  readonly end?: SpectrumEnd;
  /**
   * Largest residual over the largest absolute eigenvalue at which an eigenvalue counts as computed.
   * @defaultValue 1e-4
   */
  readonly tolerance?: number;
  /**
   * Largest number of products, each of which takes the memory of one more vector in f64.
   * @defaultValue 200
   */
  readonly steps?: number;
}

/** Defaults of {@link topEigenpairs}. */
export const TOP_EIGENPAIRS_DEFAULTS: Required<TopEigenpairsOptions> = {
  ...PRODUCT_DEFAULTS,
  count: 10,
  end: "largest",
  tolerance: 1e-4,
  steps: 200,
};

/** Result of {@link topEigenpairs}. */
export interface TopEigenpairsResult {
  /** Largest eigenvalues, falling; none if only the smallest were requested. */
  readonly largest: readonly Eigenpair[];
  /** Smallest eigenvalues, rising; none if only the largest were requested. */
  readonly smallest: readonly Eigenpair[];
  /**
   * Whether all residuals are within the tolerance, and no eigenvalue further out remains in the space
   * orthogonal to the vectors.
   */
  readonly converged: boolean;
  /** Number of products made. */
  readonly products: number;
}

const ATTEMPT = "compute eigenvalues";

/** Number of steps between checks of convergence. */
const CHECK_EVERY = 5;

/**
 * Computes eigenvalues at the ends of an operator's spectrum and their vectors, by Lanczos' method with every
 * vector made orthogonal to all before.
 *
 * The space spanned by products of one vector has only one vector of each eigenspace. So once it has
 * converged, another space is built orthogonal to the eigenvectors found, until no eigenvalue further out
 * turns up: repeated eigenvalues are listed as often as they occur.
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if a product is not finite
 */
export async function topEigenpairs(
  operator: LinearOperator,
  options: TopEigenpairsOptions = {},
): Promise<TopEigenpairsResult> {
  const resolved = resolveOptions(ATTEMPT, TOP_EIGENPAIRS_DEFAULTS, options);
  assertOptions(resolved);
  const { count, end } = resolved;
  const counted = countProducts(ATTEMPT, operator, { ...resolved, total: resolved.steps });
  const { pairs, converged } = await searchPairs(operator, counted, resolved);
  const falling = [...pairs].sort((x, y) => y.value - x.value);
  return {
    largest: end === "smallest" ? [] : falling.slice(0, count),
    smallest: end === "largest" ? [] : falling.toReversed().slice(0, count),
    converged,
    products: counted.completed(),
  };
}

function assertOptions(options: Required<TopEigenpairsOptions>): void {
  assertWholeOptions(ATTEMPT, options, { count: 1, steps: 1, seed: 0 });
  const { end, tolerance } = options;
  if (!SPECTRUM_ENDS.includes(end)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "end" must be one of ${SPECTRUM_ENDS.join(", ")}: it is ${end}`,
    );
  }
  if (tolerance >= 0) return;
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "tolerance" must be at least 0: it is ${tolerance}`);
}

/** Builds spaces orthogonal to the converged eigenvectors, until a space has no eigenvalues further out. */
async function searchPairs(
  { dimension }: LinearOperator,
  { multiply, completed }: CountedProducts,
  options: Required<TopEigenpairsOptions>,
): Promise<{ readonly pairs: readonly Eigenpair[]; readonly converged: boolean }> {
  const { count, tolerance, steps, seed } = options;
  const random = createRandom(seed, ATTEMPT);
  const pairs: Eigenpair[] = [];
  for (;;) {
    const locked = pairs.map(({ vector }) => vector);
    const start = directionBeside(random, dimension, locked);
    if (start === undefined) return { pairs, converged: true };
    if (completed() === steps) return { pairs, converged: false };
    // The first space must have all pairs; further spaces need the outermost pair only.
    const atEnds = { ends: endsOf(options.end), count: locked.length === 0 ? count : 1 };
    const least = Math.min(atEnds.ends.length * atEnds.count, dimension - locked.length);
    const hasConverged = (ritz: RitzSpace) =>
      ritz.space.basis.length >= least &&
      placesAt(ritz, atEnds).every(
        (place) => ritzResidual(ritz, place) <= tolerance * spectrumSize(ritz, pairs),
      );
    const space = await lanczos({
      start,
      random,
      multiply,
      locked,
      steps: steps - completed(),
      isEnough: (grown) =>
        (grown.basis.length - least) % CHECK_EVERY === 0 &&
        hasConverged({ space: grown, eigen: spaceEigen(grown) }),
    });
    const ritz = { space, eigen: spaceEigen(space) };
    const converged = hasConverged(ritz);
    const further =
      locked.length === 0
        ? placesAt(ritz, atEnds).map((place) => ritzPair(ritz, place, []))
        : furtherOut(ritz, pairs, options);
    pairs.push(...further);
    if (!converged || further.length === 0) return { pairs, converged };
  }
}

const endsOf = (end: SpectrumEnd): readonly ("largest" | "smallest")[] =>
  end === "both" ? ["largest", "smallest"] : [end];

/** Returns the converged pairs of a space, from the outermost on, that are further out than those so far. */
function furtherOut(
  ritz: RitzSpace,
  pairs: readonly Eigenpair[],
  { count, end, tolerance }: Required<TopEigenpairsOptions>,
): Eigenpair[] {
  const slack = tolerance * spectrumSize(ritz, pairs);
  const places = new Set<number>();
  for (const which of endsOf(end)) {
    const sign = which === "largest" ? 1 : -1;
    const outermost = pairs.map(({ value }) => sign * value).sort((x, y) => y - x);
    const bound = outermost[count - 1] ?? Number.NEGATIVE_INFINITY;
    for (const place of placesAt(ritz, { ends: [which], count })) {
      const isFurther = sign * (ritz.eigen.values[place] ?? Number.NaN) > bound + slack;
      if (!isFurther || ritzResidual(ritz, place) > slack) break;
      places.add(place);
    }
  }
  return [...places].map((place) => ritzPair(ritz, place, pairs));
}
