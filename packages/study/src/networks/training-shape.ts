import { type LossSpec, TRAINING_FIELDS, type TrainingChoice as WholeChoice } from "@isthmus/training";
import * as z from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";

/** Settings of the steps of a training in an entry; missing ones have the defaults of `train`. */
export type StepsChoice = Pick<WholeChoice, "batch" | "optimizer" | "schedule">;

/** Settings of the steps of a training in an entry, and the loss that it minimises. */
export type LossStepsChoice = StepsChoice & Pick<WholeChoice, "loss">;

/** Settings of a training in an entry: its steps, its loss and its augmentation. */
export type TrainingChoice = LossStepsChoice & Pick<WholeChoice, "augment">;

const { seed, epochs, batch, remainder, loss, optimizer, schedule, augment } = TRAINING_FIELDS;

/** Schemas of {@link StepsChoice}. */
export const STEPS_SHAPE: z.ZodRawShape = shapeOfFields({ batch, optimizer, schedule });

/** Schemas of {@link LossStepsChoice}. */
export const LOSS_STEPS_SHAPE: z.ZodRawShape = { ...STEPS_SHAPE, ...shapeOfFields({ loss }) };

/** Schemas of {@link TrainingChoice}. */
export const TRAINING_SHAPE: z.ZodRawShape = { ...LOSS_STEPS_SHAPE, ...shapeOfFields({ augment }) };

/** Schemas of the seed and the epochs of a training, which an entry must give. */
export const RUN_SHAPE: z.ZodRawShape = shapeOfFields({ seed, epochs }, ["seed", "epochs"]);

/** Options of a training, as the key of a task records them. */
export type TrainingParams = Omit<WholeChoice, "seed" | "loss" | "freeze" | "threads" | "saveEvery"> & {
  /** Seed of the order of examples and of all random draws of the training. */
  readonly seed: number;
  /** Loss to minimise; absent for the loss that follows from the graph and the data. */
  readonly loss?: LossSpec;
};

/** Schemas of {@link TrainingParams}. */
export const TRAINING_PARAMS_SHAPE: z.ZodRawShape = shapeOfFields(
  { seed, epochs, batch, remainder, loss, optimizer, schedule, augment },
  ["seed"],
);

/** The schema of {@link TrainingParams}. */
export const TRAINING_PARAMS: z.ZodObject = z.strictObject(TRAINING_PARAMS_SHAPE);
