import { assertWholeOptions, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { ACTIVATION_COSTS, type ActivationCost } from "./activation-costs.ts";
import { PLAN_KINDS, type PlanKind } from "./solve-plan.ts";

/** Methods of comparing units: by their weights, or by their activations on data. */
export const FUSE_METHODS = ["weight", "activation"] as const;

/** One of {@link FUSE_METHODS}. */
export type FuseMethod = (typeof FUSE_METHODS)[number];

/** Progress of {@link fuseNetworks}. */
export interface FuseProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
}

/** Options of {@link fuseNetworks}. */
export interface FuseNetworksOptions {
  /** Method of comparing units; "activation" needs `data`. @defaultValue "weight" */
  readonly method?: FuseMethod;
  /** Examples on which activations are compared. @defaultValue none */
  readonly data?: DataSet | undefined;
  /** Number of examples to take from `data`, from the first. @defaultValue 10000 */
  readonly examples?: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Measure of the difference of activations. @defaultValue "correlation" */
  readonly cost?: ActivationCost;
  /** Kind of the plans, one-to-one or mixtures; see {@link PLAN_KINDS}. @defaultValue "balanced" */
  readonly plan?: PlanKind;
  /** Entropy of soft plans, as a share of the range of the costs, positive. @defaultValue 0.01 */
  readonly regularization?: number;
  /** Marginal error at which a soft plan has converged. @defaultValue 1e-6 */
  readonly tolerance?: number;
  /**
   * Largest number of iterations of a soft plan, after which it is taken without convergence. @defaultValue
   * 2000
   */
  readonly maxIterations?: number;
  /**
   * Share of the source in the result, in `[0, 1]`; the rest is the share of the target. @defaultValue 0.5
   */
  readonly weight?: number;
  /**
   * Largest number of sweeps over all symmetries, at least 1; by activations, one sweep suffices.
   * @defaultValue 10
   */
  readonly maxSweeps?: number;
  /** Signal that stops the fusion. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called as units are compared and plans are found. @defaultValue no reports */
  readonly onProgress?: ((progress: FuseProgress) => void) | undefined;
}

/** Defaults of {@link fuseNetworks}. */
export const FUSE_NETWORKS_DEFAULTS: Required<FuseNetworksOptions> = {
  method: "weight",
  data: undefined,
  examples: 10_000,
  batchSize: 100,
  cost: "correlation",
  plan: "balanced",
  regularization: 0.01,
  tolerance: 1e-6,
  maxIterations: 2000,
  weight: 0.5,
  maxSweeps: 10,
  signal: undefined,
  onProgress: undefined,
};

/** Checks the options, and returns them with defaults. */
export function resolveFuseOptions(options: FuseNetworksOptions): Required<FuseNetworksOptions> {
  const resolved = resolveOptions("fuse networks", FUSE_NETWORKS_DEFAULTS, options);
  assertWholeOptions("fuse networks", resolved, {
    examples: 1,
    batchSize: 1,
    maxIterations: 1,
    maxSweeps: 1,
  });
  const choices = { method: FUSE_METHODS, plan: PLAN_KINDS, cost: ACTIVATION_COSTS } as const;
  for (const [name, allowed] of Object.entries(choices)) {
    const value: string = resolved[name as keyof typeof choices];
    if (allowed.some((choice) => choice === value)) continue;
    throw new UsageError(
      `Cannot fuse networks as "${name}" must be one of ${allowed.join(", ")}: it is ${value}`,
    );
  }
  for (const name of ["regularization", "tolerance"] as const) {
    if (resolved[name] > 0 && resolved[name] < Number.POSITIVE_INFINITY) continue;
    throw new OutOfRangeError(
      `Cannot fuse networks as "${name}" must be a positive number: it is ${resolved[name]}`,
    );
  }
  if (!(resolved.weight >= 0 && resolved.weight <= 1)) {
    throw new OutOfRangeError(
      `Cannot fuse networks as "weight" must be from 0 to 1: it is ${resolved.weight}`,
    );
  }
  if (resolved.method === "activation" && resolved.data === undefined) {
    throw new UsageError(
      'Cannot fuse networks by activations as there must be examples to run them on: give "data", or fuse by weights',
    );
  }
  return resolved;
}
