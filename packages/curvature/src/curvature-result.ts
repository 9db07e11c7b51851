import type { LossFields } from "@isthmus/graph";
import type { CriticalSharpnessResult } from "./critical-sharpness.ts";
import type { TraceEstimate } from "./estimate-trace.ts";
import type { LearningCoefficientResult } from "./learning-coefficient.ts";
import type { SettlingResult } from "./measure-settling.ts";
import type { SharpnessResult } from "./measure-sharpness.ts";
import type { CurvatureKind } from "./operators/operator-options.ts";
import type { ComputedEigenvalue } from "./ritz-pairs.ts";
import type { SpectralDensity } from "./spectral-density.ts";

/** Curvature in the parameters of one layer alone. */
export interface LayerCurvature {
  readonly name: string;
  /** Names of its tensors. */
  readonly parameters: readonly string[];
  /** Number of its parameters, the size of its block of the matrix. */
  readonly dimension: number;
  /** Length of the layer's part of the gradient. */
  readonly gradientNorm: number;
  /** Largest eigenvalue of the block; absent if no eigenvalues were asked for. */
  readonly largest?: ComputedEigenvalue & { readonly converged: boolean; readonly products: number };
  /** Trace of the block; absent if it was not asked for. Traces of all blocks add up to the trace. */
  readonly trace?: TraceEstimate;
}

/** What is measured around one network. */
export interface CurvatureMeasures {
  /** Mean loss. */
  readonly loss: number;
  /** Length of the gradient of the mean loss by the measured parameters: near 0 at a minimum. */
  readonly gradientNorm: number;
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
  /** The diagonal blocks, in the order the network uses the layers; absent if they were not asked for. */
  readonly layers?: readonly LayerCurvature[];
  /** Absent if it was not asked for. */
  readonly sharpness?: SharpnessResult;
  /** Absent if it was not asked for. */
  readonly criticalSharpness?: CriticalSharpnessResult;
  /** Absent if it was not asked for. */
  readonly learningCoefficient?: LearningCoefficientResult;
  /** How the loss settles as the number of examples grows; absent if it was not asked for. */
  readonly settling?: SettlingResult;
}

/** Curvature of a network's loss. */
export interface CurvatureResult extends LossFields, CurvatureMeasures {
  readonly kind: "curvature";
  /** The matrix that was measured. */
  readonly operator: CurvatureKind;
  /** How products with it were computed. */
  readonly derivatives: "exact" | "finite-differences";
  /** Why products are not exact, though they were to be if possible. */
  readonly reason?: string;
  /** Length of the way to each place of finite differences; absent if products are exact. */
  readonly step?: number;
  /** Number of measured parameters, the size of the matrix. */
  readonly dimension: number;
  /** Names of the tensors that they are in, in the order of the graph. */
  readonly parameters: readonly string[];
  /**
   * Measures of the network in canonical form, which computes the same: numbers that differ depend on scales
   * that the function does not. Absent if it was not asked for.
   */
  readonly canonical?: CurvatureMeasures;
  readonly examples: number;
  readonly data: string;
  readonly network: string;
  readonly seed: number;
  readonly engine: string;
}
