import type { Grouping } from "@isthmus/barrier";
import type { LossName } from "@isthmus/graph";
import type { LossSpec } from "@isthmus/training";
import type { CriticalSharpnessOptions } from "./critical-sharpness.ts";
import type { CurvatureResult } from "./curvature-result.ts";
import { ESTIMATE_TRACE_DEFAULTS } from "./estimate-trace.ts";
import type { LearningCoefficientOptions } from "./learning-coefficient.ts";
import type { MeasureSettlingOptions } from "./measure-settling.ts";
import type { MeasureSharpnessOptions } from "./measure-sharpness.ts";
import { type CurvatureKind, HESSIAN_DEFAULTS, type HessianOptions } from "./operators/operator-options.ts";
import { SPECTRAL_DENSITY_DEFAULTS } from "./spectral-density.ts";
import { TOP_EIGENPAIRS_DEFAULTS } from "./top-eigenpairs.ts";

/** What {@link measureCurvature} is at. */
export type CurvatureStage =
  | "eigenvalues"
  | "trace"
  | "density"
  | "layers"
  | "sharpness"
  | "critical-sharpness"
  | "learning-coefficient"
  | "settling";

/** Progress of {@link measureCurvature}. */
export interface CurvatureProgress {
  /** Share of the work that is done, in `[0, 1]`; it may end before all products are made. */
  readonly done: number;
  readonly stage: CurvatureStage;
  /** Whether this part was in the journal, so that it took no time. @defaultValue false */
  readonly stored?: boolean;
}

type Measure<Options> = Omit<Options, "seed" | "signal" | "onProgress">;

/** Options of how a loss settles that are not about the loss itself. */
export type SettlingChoice = Pick<
  MeasureSettlingOptions,
  "sizes" | "samples" | "deviation" | "steps" | "traceProducts"
>;

/** Options of {@link measureCurvature}. */
export interface MeasureCurvatureOptions extends Omit<HessianOptions, "loss"> {
  /**
   * The loss, or its name.
   * @defaultValue the loss networks are evaluated by, see `lossOf` of `@isthmus/graph`
   */
  readonly loss?: LossSpec | LossName | undefined;
  /** The matrix to measure. @defaultValue "hessian" */
  readonly operator?: CurvatureKind;
  /** Labels drawn for each example, of a sampled Gauss-Newton matrix. @defaultValue 1 */
  readonly labelSamples?: number;
  /** Number of eigenvalues at each end of the spectrum; 0 for none. @defaultValue 3 */
  readonly count?: number;
  /** Largest residual of an eigenvalue over the largest absolute one. @defaultValue 1e-4 */
  readonly tolerance?: number;
  /** The most products for eigenvalues. @defaultValue 200 */
  readonly steps?: number;
  /** The most products for the trace, at least 6; 0 for no trace. @defaultValue 30 */
  readonly traceProducts?: number;
  /** Standard error over the trace at which its estimation stops. @defaultValue 1e-3 */
  readonly relativeError?: number;
  /** Random vectors for the density; 0 for no density. @defaultValue 1 */
  readonly runs?: number;
  /** Products for each of them. @defaultValue 40 */
  readonly densitySteps?: number;
  /** Places of the density. @defaultValue 1000 */
  readonly points?: number;
  /** Standard deviation of its Gaussians; 0 for a hundredth of the range. @defaultValue 0 */
  readonly width?: number;
  /**
   * What to measure the diagonal blocks of, grouped as by `groupLayers` of `@isthmus/barrier`: the largest
   * eigenvalue and the trace of each, if `count` and `traceProducts` are not 0. @defaultValue no blocks
   */
  readonly by?: Grouping | undefined;
  /** Options of the sharpness; `{}` for its defaults. @defaultValue not measured */
  readonly sharpness?: Measure<MeasureSharpnessOptions> | undefined;
  /** Options of the critical sharpness; `{}` for its defaults. @defaultValue not measured */
  readonly criticalSharpness?: Measure<CriticalSharpnessOptions> | undefined;
  /** Options of the local learning coefficient; `{}` for its defaults. @defaultValue not measured */
  readonly learningCoefficient?: Measure<LearningCoefficientOptions> | undefined;
  /**
   * Options of how the loss settles as the number of examples grows; `{}` for its defaults.
   * @defaultValue not measured
   */
  readonly settling?: SettlingChoice | undefined;
  /** Whether to measure the network in canonical form, too. @defaultValue false */
  readonly canonical?: boolean;
  /** Seed of random vectors. @defaultValue 0 */
  readonly seed?: number;
  /**
   * File for finished parts, such as the eigenvalues, the trace or one layer, from which a measurement that
   * was interrupted goes on. @defaultValue none is written
   */
  readonly journalPath?: string | undefined;
  /** Called after every product. */
  readonly onProgress?: ((progress: CurvatureProgress) => void) | undefined;
  /** Called each time a part is finished, with everything that was measured so far. */
  readonly onPart?: ((soFar: CurvatureResult) => void) | undefined;
}

/** Options with all defaults filled in; a loss that was named is that of the graph. */
export type ResolvedCurvatureOptions = Omit<Required<MeasureCurvatureOptions>, "loss"> & {
  readonly loss: LossSpec | undefined;
};

/**
 * Defaults of {@link measureCurvature}: some 120 products in all, which take half a minute on two cores for a
 * network of a million parameters. Of so many parameters one random vector shows the density well.
 */
export const MEASURE_CURVATURE_DEFAULTS: Required<MeasureCurvatureOptions> = {
  ...HESSIAN_DEFAULTS,
  examples: 500,
  operator: "hessian",
  labelSamples: 1,
  count: 3,
  tolerance: TOP_EIGENPAIRS_DEFAULTS.tolerance,
  steps: TOP_EIGENPAIRS_DEFAULTS.steps,
  traceProducts: 30,
  relativeError: ESTIMATE_TRACE_DEFAULTS.relativeError,
  runs: 1,
  densitySteps: 40,
  points: SPECTRAL_DENSITY_DEFAULTS.points,
  width: SPECTRAL_DENSITY_DEFAULTS.width,
  by: undefined,
  sharpness: undefined,
  criticalSharpness: undefined,
  learningCoefficient: undefined,
  settling: undefined,
  canonical: false,
  seed: 0,
  journalPath: undefined,
  onProgress: undefined,
  onPart: undefined,
};
