import type { LocalTrainingOptions, TrainOptions } from "@isthmus/training";

/**
 * Options of trainings that run one after another, and whose states are not stored before the end of each.
 */
export type RepeatedTrainingOptions = Omit<
  TrainOptions,
  "collect" | "onEpoch" | "evaluationData" | "statePath" | "resume" | "saveEvery" | keyof LocalTrainingOptions
>;
