import { GROUPINGS, type Grouping } from "@isthmus/barrier";
import {
  BATCH_SIZE_FIELD,
  choiceField,
  examplesField,
  type FieldsOf,
  flagField,
  groupField,
  namesField,
  numberField,
  seedField,
  triesField,
  wholeField,
} from "@isthmus/core";
import type { LossName } from "@isthmus/graph";
import { LOSS_GRAPH_FIELD, type LossSpec } from "@isthmus/training";
import { CRITICAL_SHARPNESS_FIELDS, type CriticalSharpnessChoice } from "./critical-sharpness.ts";
import type { CurvatureResult } from "./curvature-result.ts";
import { ESTIMATE_TRACE_DEFAULTS } from "./estimate-trace.ts";
import { SHARINGS, type Sharing } from "./kronecker/factor-graphs.ts";
import { FISHERS, type Fisher } from "./kronecker/output-columns.ts";
import { LEARNING_COEFFICIENT_FIELDS, type LearningCoefficientChoice } from "./learning-coefficient.ts";
import { SETTLING_FIELDS, type SettlingChoice } from "./measure-settling.ts";
import { SHARPNESS_FIELDS, type SharpnessChoice } from "./measure-sharpness.ts";
import {
  CURVATURE_KINDS,
  type CurvatureKind,
  HESSIAN_DEFAULTS,
  HESSIAN_DERIVATIVES,
  type HessianDerivatives,
  type HessianOptions,
} from "./operators/operator-options.ts";
import { SPECTRAL_DENSITY_DEFAULTS } from "./spectral-density.ts";
import { TOP_EIGENPAIRS_DEFAULTS } from "./top-eigenpairs.ts";

/** Stage of {@link measureCurvature}. */
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
  /** Part of the measurement under way. */
  readonly stage: CurvatureStage;
  /** Whether this part was in the journal, so that it took no time. @defaultValue false */
  readonly stored?: boolean;
}

/** Options of {@link measureCurvature} that are plain data. */
export interface CurvatureChoice
  extends Pick<HessianOptions, "parameters" | "examples" | "batchSize" | "derivatives" | "step"> {
  /** The matrix to measure. @defaultValue "hessian" */
  readonly operator?: CurvatureKind;
  /** Number of labels drawn for each example, for a sampled Gauss-Newton matrix, or `mc`. @defaultValue 1 */
  readonly labelSamples?: number;
  /**
   * ONNX file of a loss of two inputs, predictions and targets, in this order: one number for each example,
   * or their mean. @defaultValue the loss networks are evaluated by, or the option `loss`
   */
  readonly lossGraph?: string | undefined;
  /** Kind of Fisher information that KFAC and EKFAC approximate. @defaultValue "type-2" */
  readonly fisher?: Fisher;
  /**
   * Convention of KFAC and EKFAC for layers that use their weight at several places. @defaultValue "expand"
   */
  readonly sharing?: Sharing;
  /** Number added to the eigenvalues of KFAC and EKFAC for the determinant, at least 0. @defaultValue 1e-3 */
  readonly damping?: number;
  /** Number of eigenvalues at each end of the spectrum; 0 for none. @defaultValue 1 */
  readonly count?: number;
  /** Largest residual of an eigenvalue over the largest absolute one. @defaultValue 1e-4 */
  readonly tolerance?: number;
  /** Largest number of products for eigenvalues. @defaultValue 20 */
  readonly steps?: number;
  /** Largest number of products for the trace, at least 6; 0 for no trace. @defaultValue 12 */
  readonly traceProducts?: number;
  /** Standard error over the trace at which its estimation stops. @defaultValue 1e-3 */
  readonly relativeError?: number;
  /** Number of random vectors for the density; 0 for no density. @defaultValue 0 */
  readonly runs?: number;
  /** Products for each random vector of the density. @defaultValue 40 */
  readonly densitySteps?: number;
  /** Number of places at which the density is computed. @defaultValue 1000 */
  readonly points?: number;
  /**
   * Standard deviation of the Gaussians that smooth the density; 0 for a hundredth of the range.
   * @defaultValue 0
   */
  readonly width?: number;
  /**
   * Kind of parts, layers or blocks, whose diagonal blocks are measured, grouped as by `groupLayers` of
   * `@isthmus/barrier`: the largest eigenvalue and the trace of each, if `count` and `traceProducts` are not
   * 0.
   * @defaultValue no blocks
   */
  readonly by?: Grouping | undefined;
  /** Options of the sharpness; `{}` for its defaults. @defaultValue not measured */
  readonly sharpness?: SharpnessChoice | undefined;
  /** Options of the critical sharpness; `{}` for its defaults. @defaultValue not measured */
  readonly criticalSharpness?: CriticalSharpnessChoice | undefined;
  /** Options of the local learning coefficient; `{}` for its defaults. @defaultValue not measured */
  readonly learningCoefficient?: LearningCoefficientChoice | undefined;
  /**
   * Options of the measurement of how the loss settles as the number of examples grows; `{}` for its
   * defaults.
   * @defaultValue not measured
   */
  readonly settling?: SettlingChoice | undefined;
  /** Whether to measure the network in canonical form, too. @defaultValue false */
  readonly canonical?: boolean;
  /** Seed of random vectors. @defaultValue 0 */
  readonly seed?: number;
}

/**
 * Fields of {@link CurvatureChoice}. Their defaults are a budget of 32 products on 200 examples: some seconds
 * for a network of a million parameters, in which the largest eigenvalue converges. For that many parameters,
 * one random vector estimates the density well.
 */
export const CURVATURE_FIELDS: FieldsOf<CurvatureChoice> = {
  operator: choiceField<CurvatureKind>(CURVATURE_KINDS, {
    placeholder: "<kind>",
    default: "hessian",
    help: "the matrix that is measured",
  }),
  labelSamples: wholeField({
    least: 1,
    default: 1,
    keyed: "if-named",
    help: "labels drawn for each example of a sampled Gauss-Newton matrix, or random sums for --fisher mc",
  }),
  lossGraph: LOSS_GRAPH_FIELD,
  fisher: choiceField<Fisher>(FISHERS, {
    placeholder: "<kind>",
    default: "type-2",
    rare: true,
    keyed: "if-named",
    help: "the Fisher information that kfac and ekfac approximate: exact, of random sums, or for the labels",
  }),
  sharing: choiceField<Sharing>(SHARINGS, {
    placeholder: "<how>",
    default: "expand",
    rare: true,
    keyed: "if-named",
    help: "kfac and ekfac of layers used at several tokens or pixels: each an example, or one by their mean",
  }),
  damping: numberField({
    least: 0,
    default: 1e-3,
    rare: true,
    keyed: "if-named",
    help: "number added to the eigenvalues of kfac and ekfac for their determinant",
  }),
  derivatives: choiceField<HessianDerivatives>(HESSIAN_DERIVATIVES, {
    placeholder: "<how>",
    default: HESSIAN_DEFAULTS.derivatives,
    rare: true,
    keyed: "if-named",
    help: "products with the Hessian from second derivatives (exact), or from gradients at two places",
  }),
  step: numberField({
    least: 0,
    default: HESSIAN_DEFAULTS.step,
    flag: "difference-step",
    rare: true,
    keyed: "if-named",
    help: "length of the way to each of both places of finite differences; 0 to choose it by the type of the parameters",
  }),
  parameters: namesField({
    help: "names of the parameters it is measured in, for example head.*,norm.weight (default: all)",
  }),
  examples: examplesField({
    least: 0,
    default: 200,
    help: "number of examples, the first ones; 0 for all",
  }),
  count: wholeField({ least: 0, default: 1, help: "number of eigenvalues at either end; 0 for none" }),
  tolerance: numberField({
    rare: true,
    above: 0,
    default: TOP_EIGENPAIRS_DEFAULTS.tolerance,
    help: "largest residual of an eigenvalue over the largest absolute one",
  }),
  steps: triesField({
    least: 1,
    default: 20,
    help: "the most products for eigenvalues",
  }),
  traceProducts: triesField({
    least: 0,
    default: 12,
    help: "the most products for the trace, at least 6; 0 for none",
  }),
  relativeError: numberField({
    rare: true,
    least: 0,
    default: ESTIMATE_TRACE_DEFAULTS.relativeError,
    help: "standard error over the trace at which its estimation stops",
  }),
  runs: triesField({
    least: 0,
    default: 0,
    help: "random vectors for the density of all eigenvalues, of which one is enough for a large network; 0 for none",
  }),
  densitySteps: triesField({ rare: true, least: 1, default: 40, help: "products for each of these vectors" }),
  points: wholeField({
    least: 2,
    default: SPECTRAL_DENSITY_DEFAULTS.points,
    flag: "density-points",
    rare: true,
    keyed: "if-named",
    help: "places of the density",
  }),
  width: numberField({
    least: 0,
    default: SPECTRAL_DENSITY_DEFAULTS.width,
    flag: "density-width",
    rare: true,
    keyed: "if-named",
    help: "standard deviation of the Gaussians of the density; 0 for a hundredth of the range",
  }),
  by: choiceField<Grouping>(GROUPINGS, {
    placeholder: "<grouping>",
    help: "the largest eigenvalue and the trace of every layer, or block",
  }),
  sharpness: groupField<SharpnessChoice>(SHARPNESS_FIELDS, {
    lead: "radius",
    help: `how far the loss rises in a ball, as SAM and ASAM measure it, and under noise (radius: ${SHARPNESS_FIELDS.radius.default})`,
  }),
  criticalSharpness: groupField<CriticalSharpnessChoice>(CRITICAL_SHARPNESS_FIELDS, {
    help: "the curvature along the gradient from losses alone: 2 over the learning rate that raises the loss",
  }),
  learningCoefficient: groupField<LearningCoefficientChoice>(LEARNING_COEFFICIENT_FIELDS, {
    help: "the local learning coefficient, by Langevin dynamics",
  }),
  settling: groupField<SettlingChoice>(SETTLING_FIELDS, {
    lead: "sizes",
    help: "how the loss and its Hessian settle as the examples grow, by numbers of them such as 50,100,200 (default: powers of 2 from 16)",
  }),
  canonical: flagField({
    default: false,
    keyed: "if-named",
    help: "measure the network with its scales, signs and rotations undone, too",
  }),
  seed: seedField("seed of random vectors"),
  batchSize: BATCH_SIZE_FIELD,
};

/** Options of {@link measureCurvature}. */
export interface MeasureCurvatureOptions extends CurvatureChoice, Pick<HessianOptions, "signal"> {
  /**
   * The loss, or its name.
   * @defaultValue the loss networks are evaluated by, see `lossOf` of `@isthmus/graph`
   */
  readonly loss?: LossSpec | LossName | undefined;
  /**
   * File for finished parts, such as the eigenvalues, the trace or one layer, from which a measurement that
   * was interrupted goes on. @defaultValue none is written
   */
  readonly journalPath?: string | undefined;
  /** Called after every product. */
  readonly onProgress?: ((progress: CurvatureProgress) => void) | undefined;
  /** Called with loss and gradient, and again each time a part is finished, with all measures so far. */
  readonly onPart?: ((soFar: CurvatureResult) => void) | undefined;
}

/**
 * Options with all defaults filled in; a loss given by name is resolved to the loss of that name for the
 * graph.
 */
export type ResolvedCurvatureOptions = Omit<Required<MeasureCurvatureOptions>, "loss"> & {
  /** Loss to measure; undefined for the loss that networks are evaluated by. */
  readonly loss: LossSpec | undefined;
};
