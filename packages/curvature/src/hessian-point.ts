import { at, type Checkpoint, defaultsOf, type FieldsOf, triesField } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { estimateTrace } from "./estimate-trace.ts";
import { hessian } from "./operators/hessian.ts";
import { CURVATURE_OPERATOR_DEFAULTS, type CurvatureOperatorOptions } from "./operators/operator-options.ts";
import type { ComputedEigenvalue } from "./ritz-pairs.ts";
import { topEigenpairs } from "./top-eigenpairs.ts";
import { norm } from "./vectors.ts";

/** Measures of one Hessian that is compared with others. */
export interface HessianPoint {
  /** Mean loss over the examples. */
  readonly loss: number;
  /** Length of the gradient of the mean loss by the measured parameters. */
  readonly gradientNorm: number;
  /** Largest eigenvalue of the Hessian. */
  readonly largest: ComputedEigenvalue;
  /** Estimate of the trace of the Hessian. */
  readonly trace: number;
  /** Standard error of the trace; 0 if it is exact. */
  readonly traceError: number;
}

/** Largest numbers of products for the measures of a point. */
export interface HessianPointChoice {
  /** Largest number of products for the eigenvalue. @defaultValue 50 */
  readonly steps?: number;
  /** Largest number of products for the trace, at least 6. @defaultValue 30 */
  readonly traceProducts?: number;
}

/** Fields of {@link HessianPointChoice}. */
export const HESSIAN_POINT_FIELDS: FieldsOf<HessianPointChoice> = {
  steps: triesField({
    rare: true,
    least: 1,
    default: 50,
    help: "the most products for each largest eigenvalue",
  }),
  traceProducts: triesField({ rare: true, least: 6, default: 30, help: "the most products for each trace" }),
};

/** Options of {@link hessianPoint}. */
export interface HessianPointOptions extends HessianPointChoice, CurvatureOperatorOptions {
  /** Seed of random vectors. @defaultValue 0 */
  readonly seed?: number;
}

/** Defaults of {@link hessianPoint}. */
export const HESSIAN_POINT_DEFAULTS: Required<HessianPointOptions> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  ...defaultsOf(HESSIAN_POINT_FIELDS),
  seed: 0,
};

/** Relative errors that are small beside the changes by training, or by the number of examples. */
const [EIGENVALUE_ERROR, TRACE_ERROR] = [1e-3, 1e-2];

/** Measures the length of the gradient, the largest eigenvalue and the trace of the Hessian. */
export async function hessianPoint(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  { seed, signal, steps, traceProducts, ...options }: Required<HessianPointOptions>,
): Promise<HessianPoint> {
  const operator = await hessian(architecture, network, data, { ...options, signal });
  try {
    const gradient = new Float64Array(operator.dimension);
    const loss = await operator.gradient(gradient);
    const { largest } = await topEigenpairs(operator, {
      seed,
      signal,
      steps,
      count: 1,
      tolerance: EIGENVALUE_ERROR,
    });
    const { value, residual } = at(largest, 0, "eigenvalue");
    const { trace, standardError } = await estimateTrace(operator, {
      seed,
      signal,
      products: traceProducts,
      relativeError: TRACE_ERROR,
    });
    const shared = { loss, gradientNorm: norm(gradient), largest: { value, residual } };
    return { ...shared, trace, traceError: standardError };
  } finally {
    await operator.release();
  }
}
