import type { LossSpec } from "@isthmus/training";
import type { LinearOperator } from "../linear-operator.ts";

/** Kinds of curvature. */
export const CURVATURE_KINDS = [
  "hessian",
  "gauss-newton",
  "sampled-gauss-newton",
  "empirical-fisher",
  "kfac",
  "ekfac",
] as const;

/** A kind of curvature. */
export type CurvatureKind = (typeof CURVATURE_KINDS)[number];

/**
 * Methods to compute products with the Hessian: `exact` from second derivatives; `finite-differences` from
 * gradients at two places; `auto`, exact if every operator of the graph has second derivatives, else by
 * finite differences.
 */
export const HESSIAN_DERIVATIVES = ["auto", "exact", "finite-differences"] as const;

/** Method to compute products with the Hessian. */
export type HessianDerivatives = (typeof HESSIAN_DERIVATIVES)[number];

/** Options of the curvature operators of a network's loss. */
export interface CurvatureOperatorOptions {
  /** Names of parameters, in which `*` matches any characters. @defaultValue all parameters */
  readonly parameters?: readonly string[] | undefined;
  /** The loss. @defaultValue the loss networks are evaluated by, see `lossOf` of `@isthmus/graph` */
  readonly loss?: LossSpec | undefined;
  /** Number of examples, the first ones; 0 for all. @defaultValue 0 */
  readonly examples?: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Signal that stops the work between two batches. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Options of the Hessian of a network's loss. */
export interface HessianOptions extends CurvatureOperatorOptions {
  /** Method to compute products. @defaultValue "auto" */
  readonly derivatives?: HessianDerivatives;
  /**
   * Distance of the network to each of the two places of finite differences, in units of the parameters; 0
   * for 1e-5 if all parameters are f64, else 1e-3.
   * @defaultValue 0
   */
  readonly step?: number;
}

/** Defaults of {@link CurvatureOperatorOptions}. */
export const CURVATURE_OPERATOR_DEFAULTS: Required<CurvatureOperatorOptions> = {
  parameters: undefined,
  loss: undefined,
  examples: 0,
  batchSize: 100,
  signal: undefined,
};

/** Defaults of {@link HessianOptions}. */
export const HESSIAN_DEFAULTS: Required<HessianOptions> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  derivatives: "auto",
  step: 0,
};

/** Operator of one kind of curvature of the mean loss of a network in inference mode. */
export interface CurvatureOperator extends LinearOperator {
  /** Kind of the matrix. */
  readonly kind: CurvatureKind;
  /** Method by which products are computed. */
  readonly derivatives: Exclude<HessianDerivatives, "auto">;
  /**
   * Reason why products are finite differences; absent if they are exact, or if finite differences were
   * requested.
   */
  readonly reason?: string;
  /**
   * Distance of the network to each of the two places of finite differences; missing if products are exact.
   */
  readonly step?: number;
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Computes the mean loss of the network, and its gradient into `out`, `[dimension]`. */
  readonly gradient: (out: Float64Array) => Promise<number>;
  /** Frees the memory of the engine; the operator cannot be used after it. */
  readonly release: () => Promise<void>;
}
