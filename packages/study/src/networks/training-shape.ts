import { seed } from "@isthmus/forms";
import {
  type AugmentOptions,
  type LossSpec,
  type OptimizerSpec,
  type ScheduleSpec,
  TRAINING_FIELDS,
} from "@isthmus/training";
import { AUGMENT } from "@isthmus/training/forms";
import { z } from "zod";
import { FILE_LOSS } from "../schema/file-loss.ts";
import { TRAINING_FIELDS as TASK_FIELDS, type TrainingOptions } from "../schema/shared-fields.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";

/** What an entry says of the steps of a training; what is missing has the defaults of `train`. */
export interface StepsChoice {
  /** Examples in a step. @defaultValue 128, or all examples if they are fewer */
  readonly batch?: number;
  /** How parameters change in a step. @defaultValue SGD with momentum 0.9 */
  readonly optimizer?: OptimizerSpec;
  /** How the learning rate changes. @defaultValue the rate of the optimizer, falling to 0 by half a cosine */
  readonly schedule?: ScheduleSpec;
}

/** What an entry says of the steps of a training, and what it minimises. */
export interface LossStepsChoice extends StepsChoice {
  /** What is minimised. @defaultValue cross-entropy, or for language models that of the next token */
  readonly loss?: LossSpec;
}

/** What an entry says of a training. */
export interface TrainingChoice extends LossStepsChoice {
  /** How images are changed each time they are seen. @defaultValue not at all */
  readonly augment?: AugmentOptions;
}

const { epochs, batch, optimizer, schedule } = TRAINING_FIELDS;

/** Schemas of {@link StepsChoice}. */
export const STEPS_SHAPE: z.ZodRawShape = shapeOfFields({ batch, optimizer, schedule });

/** Schemas of {@link LossStepsChoice}. */
export const LOSS_STEPS_SHAPE: z.ZodRawShape = { ...STEPS_SHAPE, loss: FILE_LOSS.optional() };

/** Schemas of {@link TrainingChoice}. */
export const TRAINING_SHAPE: z.ZodRawShape = { ...LOSS_STEPS_SHAPE, augment: AUGMENT.optional() };

/** Schemas of the seed and the epochs of a training, which an entry must give. */
export const RUN_SHAPE: z.ZodRawShape = { seed, ...shapeOfFields({ epochs }, ["epochs"]) };

/** Options of a training, as the key of a task records them. */
export type TrainingParams = TrainingOptions & { readonly augment?: AugmentOptions };

/** The schema of {@link TrainingParams}. */
export const TRAINING_PARAMS: z.ZodObject = z.strictObject({
  ...TASK_FIELDS,
  augment: AUGMENT.optional(),
});
