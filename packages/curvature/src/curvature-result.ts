import type { TraceEstimate } from "./estimate-trace.ts";
import type { CurvatureKind } from "./operators/operator-options.ts";
import type { SpectralDensity } from "./spectral-density.ts";

/** An eigenvalue as it was computed. */
export interface ComputedEigenvalue {
  readonly value: number;
  /** An eigenvalue of the operator is at most this far from the value. */
  readonly residual: number;
}

/** Curvature of a network's loss. */
export interface CurvatureResult {
  readonly kind: "curvature";
  /** The matrix that was measured. */
  readonly operator: CurvatureKind;
  /** How products with it were computed. */
  readonly derivatives: "exact" | "finite-differences";
  /** Why products are not exact, though they were to be if possible. */
  readonly reason?: string;
  /** Length of the way to each place of finite differences; absent if products are exact. */
  readonly step?: number;
  /** Mean loss. */
  readonly loss: number;
  /** Length of the gradient of the mean loss by the measured parameters: near 0 at a minimum. */
  readonly gradientNorm: number;
  /** Number of measured parameters, the size of the matrix. */
  readonly dimension: number;
  /** Names of the tensors that they are in, in the order of the graph. */
  readonly parameters: readonly string[];
  /** Eigenvalues at both ends of the spectrum; absent if none were asked for. */
  readonly eigenvalues?: {
    /** Falling. */
    readonly largest: readonly ComputedEigenvalue[];
    /** Rising. */
    readonly smallest: readonly ComputedEigenvalue[];
    /** Whether all residuals are within the tolerance. */
    readonly converged: boolean;
    readonly tolerance: number;
    readonly products: number;
  };
  /** Absent if it was not asked for. */
  readonly trace?: TraceEstimate;
  /** Density of all eigenvalues; absent if it was not asked for. */
  readonly density?: SpectralDensity;
  readonly examples: number;
  readonly data: string;
  readonly network: string;
  readonly seed: number;
  readonly engine: string;
}
