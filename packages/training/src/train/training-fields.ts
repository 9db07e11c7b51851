import { type Field, type FieldsOf, fieldOf, numberField, type Said, wholeField } from "@isthmus/core";
import { isNamedLoss, LOSS_FIELD, LOSSES } from "@isthmus/graph";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";
import { TRAIN_DEFAULTS, type TrainOptions } from "./train-options.ts";

/** Options of a training that are plain data, which measurements that train have, too. */
export type TrainingChoice = Pick<TrainOptions, "epochs" | "batch" | "loss" | "optimizer" | "schedule">;

/** Most times that each example is seen. */
const MOST_EPOCHS = 100_000;
/** Most examples in a step: memory is taken for all of them. */
const MOST_IN_STEP = 2 ** 20;

/** Makes a field of specifications of several kinds; the rest of them is checked when they are used. */
function specField<T>(name: string, kinds: readonly string[], said: Said<T>): Field<T> {
  const rule = `an object whose kind is one of ${kinds.join(", ")}`;
  const accepts = (value: unknown): boolean => {
    if (typeof value !== "object" || value === null) return false;
    const { kind } = value as { readonly kind?: unknown };
    return kinds.some((one) => one === kind);
  };
  return fieldOf<T>({ type: "special", name, rule, accepts }, said);
}

const NAMES = LOSSES.map(({ name }) => name).join(", ");
const LOSS_KINDS: readonly LossSpec["kind"][] = [
  "cross-entropy",
  "next-token",
  "mean-squared-error",
  "mean-absolute-error",
  "binary-cross-entropy",
  "several",
  "output",
];

/** Returns whether a training may try a loss: a named one, or a specification, whose kind may be missing. */
function isLossOfTraining(value: unknown): boolean {
  if (isNamedLoss(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  const { kind } = value as { readonly kind?: unknown };
  return kind === undefined || LOSS_KINDS.some((one) => one === kind);
}
const OPTIMIZERS: readonly OptimizerSpec["kind"][] = ["sgd", "adam", "adamw", "sam"];
const SCHEDULES: readonly ScheduleSpec["kind"][] = [
  "constant",
  "cosine",
  "one-cycle",
  "step",
  "triangular",
  "sawtooth",
];

/** Fields of {@link TrainingChoice}. */
export const TRAINING_FIELDS: FieldsOf<TrainingChoice> = {
  epochs: wholeField({
    least: 1,
    most: MOST_EPOCHS,
    default: TRAIN_DEFAULTS.epochs,
    help: "times each example is seen",
  }),
  batch: wholeField({
    least: 1,
    most: MOST_IN_STEP,
    help: `examples in a step (default: ${TRAIN_DEFAULTS.batch} or all if fewer, or as many as the graph takes)`,
  }),
  loss: fieldOf<NonNullable<TrainOptions["loss"]>>(
    {
      type: "special",
      name: "loss",
      rule: `one of ${NAMES}, one of these for each of several outputs, or an object whose kind is one of ${LOSS_KINDS.join(", ")}`,
      accepts: isLossOfTraining,
    },
    {
      placeholder: "<name>",
      help: `what is minimised: ${NAMES}; or one for each of several outputs, such as boxes=mean-squared-error,class=cross-entropy (default: what follows from the labels and the output)`,
      ...(LOSS_FIELD.parse && { parse: LOSS_FIELD.parse }),
    },
  ),
  optimizer: specField<OptimizerSpec>("optimizer", OPTIMIZERS, {
    placeholder: "<name>",
    default: TRAIN_DEFAULTS.optimizer,
    parse: (kind) => (kind === TRAIN_DEFAULTS.optimizer.kind ? TRAIN_DEFAULTS.optimizer : { kind }),
    help: "the rule that makes a step from a gradient: sgd, adam or adamw",
  }),
  schedule: specField<ScheduleSpec>("schedule", SCHEDULES, {
    placeholder: "<name>",
    help: "how the learning rate changes (default: from the rate of the optimizer to 0, along half a cosine)",
  }),
};

/** The field of a learning rate that stays the same. */
export const LEARNING_RATE_FIELD: Field<number> = numberField({
  above: 0,
  flag: "lr",
  help: "learning rate of all steps",
});
