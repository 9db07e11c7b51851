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
  /** Name of the layer or block: a beginning that the names of its tensors share. */
  readonly name: string;
  /** Names of the layer's tensors. */
  readonly parameters: readonly string[];
  /** Number of the layer's parameters, which is the size of its block of the matrix. */
  readonly dimension: number;
  /** Length of the layer's part of the gradient. */
  readonly gradientNorm: number;
  /** Largest eigenvalue of the block; absent if no eigenvalues were requested. */
  readonly largest?: ComputedEigenvalue & { readonly converged: boolean; readonly products: number };
  /** Trace of the block; absent if it was not requested. Traces of all blocks add up to the trace. */
  readonly trace?: TraceEstimate;
}

/** Measures of the loss around one network. */
export interface CurvatureMeasures {
  /** Mean loss. */
  readonly loss: number;
  /** Length of the gradient of the mean loss by the measured parameters: near 0 at a minimum. */
  readonly gradientNorm: number;
  /** Eigenvalues at both ends of the spectrum; absent if none were requested. */
  readonly eigenvalues?: {
    /** Largest eigenvalues, in falling order. */
    readonly largest: readonly ComputedEigenvalue[];
    /** Smallest eigenvalues, in rising order. */
    readonly smallest: readonly ComputedEigenvalue[];
    /** Whether all residuals are within the tolerance. */
    readonly converged: boolean;
    readonly tolerance: number;
    readonly products: number;
  };
  /** Trace of the matrix; absent if it was not requested. */
  readonly trace?: TraceEstimate;
  /** Norm and determinant of KFAC or EKFAC; absent for other matrices. */
  readonly closedForm?: {
    /** Square root of the sum of the squares of all elements. */
    readonly frobeniusNorm: number;
    /**
     * Logarithm of the determinant with `damping` added to all eigenvalues; null if an eigenvalue is 0 then.
     */
    readonly logDeterminant: number | null;
    readonly damping: number;
  };
  /** Density of all eigenvalues; absent if it was not requested. */
  readonly density?: SpectralDensity;
  /**
   * Diagonal blocks, in the order in which the network uses the layers; absent if they were not requested.
   */
  readonly layers?: readonly LayerCurvature[];
  /** Sharpness; absent if it was not requested. */
  readonly sharpness?: SharpnessResult;
  /** Critical sharpness; absent if it was not requested. */
  readonly criticalSharpness?: CriticalSharpnessResult;
  /** Local learning coefficient; absent if it was not requested. */
  readonly learningCoefficient?: LearningCoefficientResult;
  /** Settling of the loss as the number of examples grows; absent if it was not requested. */
  readonly settling?: SettlingResult;
}

/** Curvature of a network's loss. */
export interface CurvatureResult extends LossFields, CurvatureMeasures {
  /** Kind of the result. */
  readonly kind: "curvature";
  /** The matrix that was measured. */
  readonly operator: CurvatureKind;
  /** Method by which products with the matrix were computed. */
  readonly derivatives: "exact" | "finite-differences";
  /**
   * Reason why products are finite differences; absent if they are exact, or if finite differences were
   * requested.
   */
  readonly reason?: string;
  /**
   * Distance of the network to each of the two places of finite differences; absent if products are exact.
   */
  readonly step?: number;
  /** Number of measured parameters, the size of the matrix. */
  readonly dimension: number;
  /** Names of the tensors of the measured parameters, in the order of the graph. */
  readonly parameters: readonly string[];
  /**
   * Measures of the network in canonical form, which computes the same function: numbers that differ depend
   * on scales of the weights that the function does not depend on. Absent if the canonical form was not
   * requested.
   */
  readonly canonical?: CurvatureMeasures;
  /** Number of examples over which the loss is the mean. */
  readonly examples: number;
  /** Name of these examples. */
  readonly data: string;
  /** Source of the network, such as its file. */
  readonly network: string;
  /** Seed of random vectors, noise and batches. */
  readonly seed: number;
  /** Name of the engine on which the network ran. */
  readonly engine: string;
}
