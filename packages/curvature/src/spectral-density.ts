import { assertWholeOptions, at, createRandom, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { countProducts } from "./counted-products.ts";
import { lanczos, spaceEigen } from "./lanczos.ts";
import { type LinearOperator, PRODUCT_DEFAULTS, type ProductOptions } from "./linear-operator.ts";
import { randomDirection } from "./vectors.ts";

/** Options of {@link spectralDensity}. */
export interface SpectralDensityOptions extends ProductOptions {
  /** Number of random vectors, each of which starts a run. @defaultValue 10 */
  readonly runs?: number;
  /** Number of products of each run, at most the dimension. @defaultValue 80 */
  readonly steps?: number;
  /**
   * Number of places of the density, at least 2. Other implementations use 10,000; `smoothNodes` computes a
   * grid that fine from `nodes`, without products.
   * @defaultValue 1000
   */
  readonly points?: number;
  /**
   * Standard deviation of the Gaussian that smooths every node, in units of eigenvalues; 0 for a hundredth
   * of the range of the nodes. @defaultValue 0
   */
  readonly width?: number;
}

/** Defaults of {@link spectralDensity}. */
export const SPECTRAL_DENSITY_DEFAULTS: Required<SpectralDensityOptions> = {
  ...PRODUCT_DEFAULTS,
  runs: 10,
  steps: 80,
  points: 1000,
  width: 0,
};

/** The density of an operator's eigenvalues, whose integral is 1. */
export interface SpectralDensity {
  /** First and last place of the density; the others are evenly spaced between them. */
  readonly range: readonly [number, number];
  /** Density at each place. */
  readonly density: readonly number[];
  /** Standard deviation of the Gaussians. */
  readonly width: number;
  /** Nodes whose smoothing gives the density: rising values, and their weights, which add up to 1. */
  readonly nodes: { readonly values: readonly number[]; readonly weights: readonly number[] };
  /** Number of random vectors. */
  readonly runs: number;
  /** Number of products for each random vector. */
  readonly steps: number;
}

const ATTEMPT = "estimate a spectral density";

/** Default width as a fraction of the range of the nodes. */
const WIDTH_OF_RANGE = 0.01;

/** Margin of the grid beyond the outermost nodes, in widths: there a Gaussian is 4e-6 of its height. */
const MARGIN = 5;

/**
 * Estimates the density of an operator's eigenvalues by stochastic Lanczos quadrature: each run gives nodes
 * and weights whose weighted sums are integrals over the spectrum, weighted by the components of a random
 * vector.
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if a product is not finite
 * @see Ghorbani et al., An investigation into neural net optimization via Hessian eigenvalue density, 2019
 */
export async function spectralDensity(
  operator: LinearOperator,
  options: SpectralDensityOptions = {},
): Promise<SpectralDensity> {
  const resolved = resolveOptions(ATTEMPT, SPECTRAL_DENSITY_DEFAULTS, options);
  assertWholeOptions(ATTEMPT, resolved, { runs: 1, steps: 1, points: 2, seed: 0 });
  const { runs, width, seed } = resolved;
  if (!(width >= 0)) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "width" must be at least 0: it is ${width}`);
  }
  const { dimension } = operator;
  const steps = Math.min(resolved.steps, dimension);
  const { multiply } = countProducts(ATTEMPT, operator, { ...resolved, total: runs * steps });
  const nodes: { value: number; weight: number }[] = [];
  for (let run = 0; run < runs; run++) {
    const random = createRandom(seed, `${ATTEMPT} ${run}`);
    const start = randomDirection(random, dimension);
    // A closed space contains all eigenvectors that the random vector has a component of.
    const isEnough = ({ coupling }: { readonly coupling: readonly number[] }) => coupling.at(-1) === 0;
    const { values, vectors } = spaceEigen(
      await lanczos({ start, steps, random, multiply, isLoose: true, isEnough }),
    );
    values.forEach((value, i) => {
      nodes.push({ value, weight: at(vectors.data, i, "element") ** 2 / runs });
    });
  }
  nodes.sort((x, y) => x.value - y.value);
  const sorted = { values: nodes.map(({ value }) => value), weights: nodes.map(({ weight }) => weight) };
  return { ...smoothNodes(sorted, resolved), nodes: sorted, runs, steps };
}

/**
 * Smooths the nodes of a spectral density by Gaussians, on a grid that reaches a little beyond them.
 * @param nodes - at least one, rising
 * @param options - number of places, at least 2, and standard deviation; 0 for a hundredth of the range
 */
export function smoothNodes(
  { values, weights }: SpectralDensity["nodes"],
  { points, width: asked }: { readonly points: number; readonly width: number },
): Pick<SpectralDensity, "range" | "density" | "width"> {
  const [first, last] = [at(values, 0, "node"), at(values, values.length - 1, "node")];
  const spread = last - first || Math.abs(last) || 1;
  const width = asked > 0 ? asked : WIDTH_OF_RANGE * spread;
  const [begin, end] = [first - MARGIN * width, last + MARGIN * width];
  const height = 1 / (width * Math.sqrt(2 * Math.PI));
  const density = Array.from({ length: points }, (_, i) => {
    const x = begin + (i / (points - 1)) * (end - begin);
    return values.reduce((sum, value, node) => {
      const away = (x - value) / width;
      return sum + at(weights, node, "weight") * height * Math.exp(-0.5 * away * away);
    }, 0);
  });
  return { range: [begin, end], density, width };
}
