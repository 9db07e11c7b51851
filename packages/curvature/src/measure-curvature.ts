import { assertWholeOptions, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { CurvatureResult } from "./curvature-result.ts";
import { ESTIMATE_TRACE_DEFAULTS, estimateTrace } from "./estimate-trace.ts";
import type { ProductProgress } from "./linear-operator.ts";
import { empiricalFisher } from "./operators/empirical-fisher.ts";
import { gaussNewton } from "./operators/gauss-newton.ts";
import { hessian } from "./operators/hessian.ts";
import {
  CURVATURE_KINDS,
  type CurvatureKind,
  type CurvatureOperator,
  HESSIAN_DEFAULTS,
  type HessianOptions,
} from "./operators/operator-options.ts";
import type { Eigenpair } from "./ritz-pairs.ts";
import { SPECTRAL_DENSITY_DEFAULTS, spectralDensity } from "./spectral-density.ts";
import { TOP_EIGENPAIRS_DEFAULTS, topEigenpairs } from "./top-eigenpairs.ts";
import { norm } from "./vectors.ts";

/** Progress of {@link measureCurvature}. */
export interface CurvatureProgress {
  /** Share of the work that is done, in `[0, 1]`; it may end before all products are made. */
  readonly done: number;
  readonly stage: "eigenvalues" | "trace" | "density";
  /** Products of this stage made so far, at most `total`. */
  readonly completed: number;
  readonly total: number;
}

/** Options of {@link measureCurvature}. */
export interface MeasureCurvatureOptions extends HessianOptions {
  /** The matrix to measure. @defaultValue "hessian" */
  readonly operator?: CurvatureKind;
  /** Number of eigenvalues at each end of the spectrum; 0 for none. @defaultValue 10 */
  readonly count?: number;
  /** Largest residual of an eigenvalue over the largest absolute one. @defaultValue 1e-4 */
  readonly tolerance?: number;
  /** The most products for eigenvalues. @defaultValue 200 */
  readonly steps?: number;
  /** The most products for the trace, at least 6; 0 for no trace. @defaultValue 100 */
  readonly traceProducts?: number;
  /** Standard error over the trace at which its estimation stops. @defaultValue 1e-3 */
  readonly relativeError?: number;
  /** Random vectors for the density; 0 for no density. @defaultValue 10 */
  readonly runs?: number;
  /** Products for each of them. @defaultValue 80 */
  readonly densitySteps?: number;
  /** Places of the density. @defaultValue 1000 */
  readonly points?: number;
  /** Standard deviation of its Gaussians; 0 for a hundredth of the range. @defaultValue 0 */
  readonly width?: number;
  /** Seed of random vectors. @defaultValue 0 */
  readonly seed?: number;
  /** Called after every product. */
  readonly onProgress?: ((progress: CurvatureProgress) => void) | undefined;
}

/** Defaults of {@link measureCurvature}. */
export const MEASURE_CURVATURE_DEFAULTS: Required<MeasureCurvatureOptions> = {
  ...HESSIAN_DEFAULTS,
  examples: 1000,
  operator: "hessian",
  count: TOP_EIGENPAIRS_DEFAULTS.count,
  tolerance: TOP_EIGENPAIRS_DEFAULTS.tolerance,
  steps: TOP_EIGENPAIRS_DEFAULTS.steps,
  traceProducts: ESTIMATE_TRACE_DEFAULTS.products,
  relativeError: ESTIMATE_TRACE_DEFAULTS.relativeError,
  runs: SPECTRAL_DENSITY_DEFAULTS.runs,
  densitySteps: SPECTRAL_DENSITY_DEFAULTS.steps,
  points: SPECTRAL_DENSITY_DEFAULTS.points,
  width: SPECTRAL_DENSITY_DEFAULTS.width,
  seed: 0,
  onProgress: undefined,
};

const ATTEMPT = "measure curvature";

/**
 * Measures the curvature of a network's mean loss: the eigenvalues at both ends of the spectrum of its
 * Hessian (or Gauss-Newton matrix, or empirical Fisher information), the trace with a standard error, and the
 * density of all eigenvalues. The network is in inference mode; the same seed gives the same result.
 *
 * None of these is invariant to scalings of layers that leave the function as it is: compare networks after
 * `canonicalize` of `@isthmus/weight-matching`.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss, or a derivative is not finite
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if an operator has no gradient rule
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureCurvature, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const data = await openDataSet("mnist:test@20");
 * const options = { parameters: ["layers.3.*"], count: 1, traceProducts: 30, runs: 0 };
 * const { eigenvalues, trace } = await measureCurvature(architecture, network, data, options);
 * const [sharpest] = eigenvalues?.largest ?? [];
 * assert(sharpest && trace && sharpest.value < trace.trace + 5 * trace.standardError); // convex in one layer
 * await network.close();
 * ```
 */
export async function measureCurvature(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureCurvatureOptions = {},
): Promise<CurvatureResult> {
  const resolved = resolveOptions(ATTEMPT, MEASURE_CURVATURE_DEFAULTS, options);
  assertWholeOptions(ATTEMPT, resolved, { count: 0, traceProducts: 0, runs: 0, seed: 0 });
  const operator = await openOperator(architecture, network, data, resolved);
  try {
    const gradient = new Float64Array(operator.dimension);
    const loss = await operator.gradient(gradient);
    const { reason, step } = operator;
    return {
      kind: "curvature",
      operator: operator.kind,
      derivatives: operator.derivatives,
      ...(reason === undefined ? {} : { reason }),
      ...(step === undefined ? {} : { step }),
      loss,
      gradientNorm: norm(gradient),
      dimension: operator.dimension,
      parameters: operator.layout.map(({ name }) => name),
      ...(await measureOperator(operator, resolved)),
      examples: operator.examples,
      data: data.name,
      network: network.source,
      seed: resolved.seed,
      engine: architecture.engine.name,
    };
  } finally {
    await operator.release();
  }
}

function openOperator(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  resolved: Required<MeasureCurvatureOptions>,
): Promise<CurvatureOperator> {
  const { operator, parameters, loss, examples, batchSize, signal, derivatives, step } = resolved;
  const shared = { parameters, loss, examples, batchSize, signal };
  switch (operator) {
    case "hessian":
      return hessian(architecture, network, data, { ...shared, derivatives, step });
    case "gauss-newton":
      return gaussNewton(architecture, network, data, shared);
    case "empirical-fisher":
      return empiricalFisher(architecture, network, data, shared);
    default:
      throw new OutOfRangeError(
        `Cannot ${ATTEMPT} as "operator" must be one of ${CURVATURE_KINDS.join(", ")}: it is ${operator}`,
      );
  }
}

type Measured = Pick<CurvatureResult, "eigenvalues" | "trace" | "density">;

async function measureOperator(
  operator: CurvatureOperator,
  options: Required<MeasureCurvatureOptions>,
): Promise<Measured> {
  const { count, tolerance, steps, traceProducts, relativeError, runs, densitySteps, points, width } =
    options;
  const { seed, signal } = options;
  const stages = stagesOf(operator, options);
  const shared = (stage: CurvatureProgress["stage"]) => ({ seed, signal, onProgress: stages(stage) });
  const measured: { -readonly [K in keyof Measured]: Measured[K] } = {};
  if (count > 0) {
    const pairs = await topEigenpairs(operator, {
      ...{ ...shared("eigenvalues"), count, tolerance, steps, end: "both" },
    });
    const { converged, products } = pairs;
    const [largest, smallest] = [pairs.largest.map(withoutVector), pairs.smallest.map(withoutVector)];
    measured.eigenvalues = { largest, smallest, converged, tolerance, products };
  }
  if (traceProducts > 0) {
    measured.trace = await estimateTrace(operator, {
      ...{ ...shared("trace"), products: traceProducts, relativeError },
    });
  }
  if (runs > 0) {
    measured.density = await spectralDensity(operator, {
      ...{ ...shared("density"), runs, steps: densitySteps, points, width },
    });
  }
  return measured;
}

const withoutVector = ({ value, residual }: Eigenpair) => ({ value, residual });

/** Returns what announces the progress of each stage as a part of the whole. */
function stagesOf(
  { dimension }: CurvatureOperator,
  options: Required<MeasureCurvatureOptions>,
): (stage: CurvatureProgress["stage"]) => (progress: ProductProgress) => void {
  const { count, steps, traceProducts, runs, densitySteps, onProgress } = options;
  const products = {
    eigenvalues: count > 0 ? steps : 0,
    trace: Math.min(traceProducts, dimension),
    density: runs * Math.min(densitySteps, dimension),
  };
  const all = products.eigenvalues + products.trace + products.density;
  const before = {
    eigenvalues: 0,
    trace: products.eigenvalues,
    density: products.eigenvalues + products.trace,
  };
  return (stage) =>
    ({ completed, total }) =>
      onProgress?.({ done: (before[stage] + completed) / all, stage, completed, total });
}
