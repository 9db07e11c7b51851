import {
  assertWholeOptions,
  createRandom,
  innerProduct,
  OutOfRangeError,
  type Random,
  resolveOptions,
  sumOf,
} from "@isthmus/core";
import { type CountedProducts, countProducts } from "./counted-products.ts";
import { type LinearOperator, PRODUCT_DEFAULTS, type ProductOptions } from "./linear-operator.ts";
import { orthogonalizeAllInPlace, orthonormalizeInPlace, randomSigns } from "./vectors.ts";

/** Options of {@link estimateTrace}. */
export interface EstimateTraceOptions extends ProductOptions {
  /** Largest number of products, at least 6. @defaultValue 100 */
  readonly products?: number;
  /**
   * Standard error over the estimate at which the estimation stops; 0 to make all products.
   * @defaultValue 1e-3
   */
  readonly relativeError?: number;
}

/** Defaults of {@link estimateTrace}. */
export const ESTIMATE_TRACE_DEFAULTS: Required<EstimateTraceOptions> = {
  ...PRODUCT_DEFAULTS,
  products: 100,
  relativeError: 1e-3,
};

/** An estimate of a trace. */
export interface TraceEstimate {
  /** Estimate of the trace: the sum of the diagonal, which is the sum of all eigenvalues. */
  readonly trace: number;
  /** Standard error of the trace; 0 if it is exact. */
  readonly standardError: number;
  /** Number of random vectors from which the standard error is computed; 0 if the trace is exact. */
  readonly samples: number;
  /** Number of products made. */
  readonly products: number;
  /** Whether the requested relative error is reached. */
  readonly converged: boolean;
}

const ATTEMPT = "estimate a trace";

/** Fewest samples from which a standard error is trusted. */
const LEAST_SAMPLES = 10;

/** Vectors that are made orthogonal together, as reading the basis takes most of the time. */
const VECTORS_AT_ONCE = 17;

/**
 * Estimates the trace of an operator (Hutch++): a third of the products finds a space on which much of the
 * operator lies, another third computes the trace on it exactly, and the trace on the rest of the space is
 * estimated from random signs, whose spread gives the standard error. The estimation stops once the standard
 * error is small enough. If the operator has no more rows than products are allowed, its trace is summed up
 * exactly.
 *
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if a product is not finite
 * @see Meyer et al., Hutch++: optimal stochastic trace estimation, 2021, algorithm 1
 */
export async function estimateTrace(
  operator: LinearOperator,
  options: EstimateTraceOptions = {},
): Promise<TraceEstimate> {
  const resolved = resolveOptions(ATTEMPT, ESTIMATE_TRACE_DEFAULTS, options);
  const { products: most, relativeError, seed } = resolved;
  assertWholeOptions(ATTEMPT, resolved, { products: 6, seed: 0 });
  if (!(relativeError >= 0)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "relativeError" must be at least 0: it is ${relativeError}`,
    );
  }
  const { dimension, products } = operator;
  const counted = countProducts(ATTEMPT, operator, { ...resolved, total: Math.min(most, dimension) });
  if (dimension <= most) return exactTrace(dimension, counted);
  const random = createRandom(seed, ATTEMPT);
  const third = Math.floor(most / 3);
  const basis = await sketch(counted, random, { dimension, products, count: third });
  const product = new Float64Array(dimension);
  const trace = await traceOn(basis, counted, product);
  const samples: number[] = [];
  let estimate = summarize(trace, samples);
  let outside: readonly Float64Array[] = [];
  while (counted.completed() < most) {
    if (outside.length === 0) {
      const count = Math.min(VECTORS_AT_ONCE, most - counted.completed());
      outside = await signsOutside(basis, random, { dimension, products, count });
    }
    const [signs, ...others] = outside as [Float64Array, ...Float64Array[]];
    outside = others;
    samples.push(innerProduct(signs, await counted.multiply(signs, product)));
    estimate = summarize(trace, samples);
    if (samples.length >= LEAST_SAMPLES && isWithin(estimate, relativeError)) break;
  }
  return { ...estimate, products: counted.completed(), converged: isWithin(estimate, relativeError) };
}

/** Random vectors that are drawn. */
interface DrawnVectors extends Pick<LinearOperator, "dimension" | "products"> {
  /** Number of vectors. */
  readonly count: number;
}

/** Draws vectors of random signs, and takes their parts in the space of the basis out of them. */
async function signsOutside(
  basis: readonly Float64Array[],
  random: Random,
  { dimension, products, count }: DrawnVectors,
): Promise<Float64Array[]> {
  const signs = Array.from({ length: count }, () => randomSigns(random, dimension));
  await orthogonalizeAllInPlace(signs, { basis, products });
  return signs;
}

type Estimate = Pick<TraceEstimate, "trace" | "standardError" | "samples">;

const isWithin = ({ trace, standardError }: Estimate, relativeError: number): boolean =>
  standardError <= relativeError * Math.abs(trace);

async function exactTrace(dimension: number, { multiply }: CountedProducts): Promise<TraceEstimate> {
  let trace = 0;
  for (let i = 0; i < dimension; i++) {
    const unit = new Float64Array(dimension);
    unit[i] = 1;
    trace += innerProduct(unit, await multiply(unit));
  }
  return { trace, standardError: 0, samples: 0, products: dimension, converged: true };
}

/** Computes an orthonormal basis of products with random signs. */
async function sketch(
  { multiply }: CountedProducts,
  random: Random,
  { dimension, products, count }: DrawnVectors,
): Promise<Float64Array[]> {
  const basis: Float64Array[] = [];
  while (basis.length < count) {
    const size = Math.min(VECTORS_AT_ONCE, count - basis.length);
    const block: Float64Array[] = [];
    while (block.length < size) block.push(await multiply(randomSigns(random, dimension)));
    const made = await orthonormalizeInPlace(block, { basis, products });
    basis.push(...block.slice(0, made));
    // The operator has no more rank than the basis has vectors.
    if (made < size) break;
  }
  return basis;
}

/** Computes the trace of an operator on a space; `product` is overwritten. */
async function traceOn(
  basis: readonly Float64Array[],
  { multiply }: CountedProducts,
  product: Float64Array,
): Promise<number> {
  let trace = 0;
  for (const vector of basis) trace += innerProduct(vector, await multiply(vector, product));
  return trace;
}

function summarize(trace: number, samples: readonly number[]): Estimate {
  const count = samples.length;
  const mean = sumOf(samples) / Math.max(1, count);
  const squares = samples.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const standardError = count < 2 ? Number.POSITIVE_INFINITY : Math.sqrt(squares / (count - 1) / count);
  return { trace: trace + mean, standardError, samples: count };
}
