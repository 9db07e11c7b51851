import type { Recipe } from "@isthmus/recipe";
import type { TaskScore } from "./bind-task.ts";
import type { Granularity } from "./coefficient-groups.ts";
import type { TuneObjective } from "./tune-merge-options.ts";

/** Weights of the networks in one part of the merge. */
export interface TunedGroup {
  /** Name of the part: a layer such as `model.layers.0`, a tensor, or `all`. */
  readonly name: string;
  /** Weights in the recipe at the start, in the order of the networks. */
  readonly start: readonly number[];
  /** Weights that were found. */
  readonly weights: readonly number[];
}

/** Measurements of a merge on one data set, before and after its weights were learned. */
export interface TunedTaskResult {
  /** Name of the data by which weights were learned. */
  readonly data: string;
  /** Name of the data on which loss and error were measured. */
  readonly evaluated: string;
  /** Number of these examples. */
  readonly examples: number;
  /** Loss and error of the merge by the weights at the start. */
  readonly before: TaskScore;
  /** Loss and error of the merge by the weights that were found. */
  readonly after: TaskScore;
}

/** Result of `tuneMerge`. */
export interface TuneMergeResult {
  /** The recipe with the weights that were found. */
  readonly recipe: Recipe;
  /** Names of the networks that have weights. */
  readonly models: readonly string[];
  /** Weights of each part. */
  readonly groups: readonly TunedGroup[];
  /** Objective that was minimised. */
  readonly objective: TuneObjective;
  /** Parts that have weights of their own. */
  readonly by: Granularity;
  /** Steps of Adam; 0 for a closed form. */
  readonly steps: number;
  /** Step from which a stopped run went on; 0 if it began anew. */
  readonly resumedAt: number;
  /**
   * Objective before each step, the mean over data sets; for a closed form, the distance at the weights of
   * the start and at the weights that were found, as shares of the distance of the network without changes.
   */
  readonly losses: readonly number[];
  /** Measurements on each data set. */
  readonly tasks: readonly TunedTaskResult[];
  /** Names of merged tensors that no data set reaches, and whose weights stay. */
  readonly unreached: readonly string[];
}
