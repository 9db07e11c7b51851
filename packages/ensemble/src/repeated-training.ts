import type { LocalTrainingOptions, TrainOptions } from "@isthmus/training";

/** Options of trainings that are made one after another, of which nothing is kept before the end of each. */
export type RepeatedTrainingOptions = Omit<
  TrainOptions,
  "collect" | "onEpoch" | "evaluationData" | "statePath" | "resume" | "saveEvery" | keyof LocalTrainingOptions
>;
