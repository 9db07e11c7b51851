import { choiceField, type FieldsOf, numberField, rangeField, seedField, wholeField } from "@isthmus/core";
import type { AlignInputs } from "@isthmus/recipe";
import { GRANULARITIES, type Granularity } from "./coefficient-groups.ts";

/** Objectives that are minimised by gradients. */
export const GRADIENT_OBJECTIVES = ["entropy", "loss", "distillation"] as const;

/** Objective that is minimised by gradients: see {@link TuneMergeRules.objective}. */
export type GradientObjective = (typeof GRADIENT_OBJECTIVES)[number];

/** Objective by which weights are learned: by gradients, or in closed form. */
export type TuneObjective = GradientObjective | "output-space";

/** Options that decide the weights that `tuneMerge` finds. */
export interface TuneMergeRules {
  /**
   * Quantity that is minimised. `entropy`: the entropy of the predictions, without labels (AdaMerging);
   * `loss`: the loss on labels, for texts the loss of the next token; `distillation`: the divergence of the
   * predictions from the predictions of each data set's expert, without labels; `output-space`: the squared
   * distance of the outputs of linear layers from the expert's, in closed form, without labels.
   * @defaultValue "entropy"
   */
  readonly objective?: TuneObjective;
  /** Parts of the network with weights of their own. @defaultValue "layer" */
  readonly by?: Granularity;
  /** Number of steps of Adam. @defaultValue 500 */
  readonly steps?: number;
  /** Learning rate of Adam (decays 0.9 and 0.999), in units of weights. @defaultValue 0.001 */
  readonly learningRate?: number;
  /** Number of examples of each data set in a step. @defaultValue 16 */
  readonly batch?: number;
  /** Weight of every network at the start. @defaultValue the weights of the recipe, or 0.3 without any */
  readonly start?: number | undefined;
  /** Smallest and largest weight. @defaultValue any */
  readonly bounds?: readonly [least: number, most: number] | undefined;
  /** Sum of the weights of each part. @defaultValue any */
  readonly sum?: number | undefined;
  /** Seed of the order of examples and of random methods. @defaultValue 0 */
  readonly seed?: number;
}

/** Largest number of steps: more would run for years. */
const MOST_STEPS = 10_000_000;
/** Largest number of examples in a step: all of them are held in memory. */
const MOST_IN_STEP = 2 ** 20;

/** Fields of {@link TuneMergeRules}. */
export const TUNE_MERGE_FIELDS: FieldsOf<TuneMergeRules> = {
  objective: choiceField([...GRADIENT_OBJECTIVES, "output-space"], {
    default: "entropy",
    help: "entropy: of predictions, without labels; loss: on labels; distillation: divergence from each data set's expert; output-space: outputs of linear layers near the expert's, in closed form",
  }),
  by: choiceField(GRANULARITIES, { default: "layer", help: "what has weights of its own" }),
  steps: wholeField({ least: 1, most: MOST_STEPS, default: 500, help: "steps of Adam" }),
  learningRate: numberField({ least: 0, default: 0.001, flag: "lr", help: "learning rate of Adam" }),
  batch: wholeField({
    least: 1,
    most: MOST_IN_STEP,
    default: 16,
    help: "examples of each data set in a step, or all if there are fewer",
  }),
  start: numberField({
    help: "weight of every network at the start (default: the recipe's weights, or 0.3 without any)",
  }),
  bounds: rangeField({ help: "smallest and largest weight (default: any)" }),
  sum: numberField({ help: "sum of the weights of each part (default: any)" }),
  seed: seedField("seed of the order of examples and of random methods"),
};

/** Progress of `tuneMerge`. */
export interface TuneMergeProgress {
  /** Work that is done now, such as `Learning`. */
  readonly phase: "Reading" | "Measuring" | "Learning";
  /** Share of that work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Steps of Adam so far; 0 before the first. */
  readonly step: number;
  /** Objective of the last step, the mean over data sets; NaN before the first. */
  readonly loss: number;
  /** Mean weight of each network now, in the order of the recipe. */
  readonly means: readonly number[];
}

/** Options of `tuneMerge`. */
export interface TuneMergeOptions extends TuneMergeRules {
  /**
   * File to which the state is written about every half second, and from which a later call resumes; the
   * caller removes it. @defaultValue none
   */
  readonly statePath?: string | undefined;
  /** Whether to resume from an existing state, to the same bytes. @defaultValue false */
  readonly resume?: boolean;
  /** Aligns networks that have `align` in the recipe. @defaultValue such recipes are refused */
  readonly align?: AlignInputs | undefined;
  /** Paths of JavaScript files with further methods; their code is run. @defaultValue none */
  readonly methodFiles?: readonly string[] | undefined;
  /** Signal that stops the work between two batches. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step, and while networks are measured. @defaultValue nothing is called */
  readonly onProgress?: ((progress: TuneMergeProgress) => void) | undefined;
}

/** Defaults of the options that are not plain data. */
export const TUNE_MERGE_RUN_DEFAULTS: Required<Omit<TuneMergeOptions, keyof TuneMergeRules>> = {
  statePath: undefined,
  resume: false,
  align: undefined,
  methodFiles: undefined,
  signal: undefined,
  onProgress: undefined,
};
