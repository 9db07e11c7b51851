import { batch, examples, type FieldsOf, fieldsOf, positive, repeats, seed } from "@isthmus/forms";
import type { LossSpec, TrainOptions } from "@isthmus/training";
import { LOSS, OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import {
  HEAD_GROUPS,
  LEARNED_PLACES,
  LEARNED_RULES,
  LEARNED_UNITS,
  type MatchLearnedOptions,
} from "@isthmus/weight-matching";
import { z } from "zod";

/** What becomes of examples that are left over at the end of an epoch. */
const REMAINDERS = ["carry", "drop"] as const;

/** Options of a task that trains, whatever it trains. */
export interface TrainingOptions
  extends Pick<TrainOptions, "seed" | "epochs" | "batch" | "remainder" | "optimizer" | "schedule"> {
  readonly loss?: LossSpec;
}

/** Fields of {@link TrainingOptions}. */
export const TRAINING_FIELDS: FieldsOf<TrainingOptions> = fieldsOf<TrainingOptions>()({
  seed,
  epochs: repeats(1).optional(),
  batch: batch.optional(),
  remainder: z.enum(REMAINDERS).optional(),
  loss: LOSS.optional(),
  optimizer: OPTIMIZER.optional(),
  schedule: SCHEDULE.optional(),
});

/** Options of learning an alignment that a study and its tasks call by the same names. */
export type LearningOptions = Pick<
  MatchLearnedOptions,
  "examples" | "steps" | "learningRate" | "at" | "units" | "rule" | "heads"
>;

/** Fields of {@link LearningOptions}. */
export const LEARNING_FIELDS: FieldsOf<LearningOptions> = fieldsOf<LearningOptions>()({
  examples: examples(1).optional(),
  steps: repeats(0).optional(),
  learningRate: positive.optional(),
  at: z.enum(LEARNED_PLACES).optional(),
  units: z.enum(LEARNED_UNITS).optional(),
  rule: z.enum(LEARNED_RULES).optional(),
  heads: z.enum(HEAD_GROUPS).optional(),
});
