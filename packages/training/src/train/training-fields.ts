import {
  choiceField,
  type DefaultedField,
  type Field,
  type FieldsOf,
  fieldOf,
  flagField,
  groupField,
  listField,
  numberField,
  type Said,
  seedField,
  wholeField,
} from "@isthmus/core";
import { ELEMENTWISE_LOSS_NAMES, isNamedLoss, LOSS_FIELD, LOSSES } from "@isthmus/graph";
import type { AugmentOptions } from "../batches/augment.ts";
import type { Remainder } from "../batches/epoch-steps.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";
import { TRAIN_DEFAULTS, type TrainOptions } from "./train-options.ts";

/**
 * Options of a training that are plain data. Measurements that train have them, too, and so have entries of
 * studies and tasks.
 */
export type TrainingChoice = Partial<Pick<TrainOptions, "seed">> &
  Pick<
    TrainOptions,
    | "epochs"
    | "batch"
    | "remainder"
    | "loss"
    | "optimizer"
    | "schedule"
    | "augment"
    | "freeze"
    | "threads"
    | "saveEvery"
  >;

/** Most times that each example is seen. */
const MOST_EPOCHS = 100_000;
/** Most examples in a step: memory is taken for all of them. */
const MOST_IN_STEP = 2 ** 20;

/** Images are padded by at most as many pixels, which is more than any image has. */
const MOST_CROPPED = 2 ** 15;

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

const NAMES = LOSSES.flatMap(({ name }) => (name === "none" ? [] : [name])).join(", ");
const LOSS_KINDS: readonly LossSpec["kind"][] = [
  "cross-entropy",
  "next-token",
  ...ELEMENTWISE_LOSS_NAMES,
  "several",
  "output",
];

/**
 * Returns whether a value is a loss that a training may try: a named one, or a specification, whose kind may
 * be missing.
 */
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

/**
 * Makes the field of the number of epochs.
 * @param least - fewest epochs; 0 if a network that is not trained at all is a valid result
 */
export function epochsField(least: 0 | 1): DefaultedField<number> {
  const seen = "times each example is seen";
  return wholeField({
    least,
    most: MOST_EPOCHS,
    default: TRAIN_DEFAULTS.epochs,
    help: least === 0 ? `${seen}; 0 writes the network as it starts` : seen,
  });
}

/** Fields of {@link AugmentOptions}. */
const AUGMENT_FIELDS: FieldsOf<AugmentOptions> = {
  crop: wholeField({
    least: 0,
    most: MOST_CROPPED,
    help: "pad images by n pixels and crop them at random to their size",
  }),
  flip: flagField({ help: "mirror every other image" }),
};

/**
 * Fields of {@link TrainingChoice}, each once: everything that trains networks takes its own fields from
 * here.
 */
export const TRAINING_FIELDS: FieldsOf<TrainingChoice> = {
  seed: seedField("seed of everything random"),
  epochs: epochsField(1),
  batch: wholeField({
    least: 1,
    most: MOST_IN_STEP,
    help: `examples in a step (default: ${TRAIN_DEFAULTS.batch} or all if fewer, or as many as the graph takes)`,
  }),
  remainder: choiceField<Remainder>(["carry", "drop"], {
    default: TRAIN_DEFAULTS.remainder,
    help: "whether examples at the end of an epoch that fill no batch begin the next one, or are left out",
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
  augment: groupField<AugmentOptions>(AUGMENT_FIELDS, {
    default: TRAIN_DEFAULTS.augment,
    help: "how images are changed each time they are seen",
  }),
  freeze: listField<string>(
    { type: "text" },
    {
      least: 0,
      default: TRAIN_DEFAULTS.freeze,
      keyed: "if-named",
      rare: true,
      placeholder: "<pattern>",
      help: "parameters that training does not change, such as 'layers.0.*'; may be repeated",
    },
  ),
  threads: wholeField({
    least: 0,
    default: TRAIN_DEFAULTS.threads,
    keyed: "if-named",
    rare: true,
    help: "threads of the engine; 0 lets it choose",
  }),
  saveEvery: wholeField({
    least: 0,
    default: TRAIN_DEFAULTS.saveEvery,
    keyed: "if-named",
    rare: true,
    placeholder: "<steps>",
    help: "write the state after every so many steps, too, not only after epochs; 0 for never",
  }),
};

/** The field of a constant learning rate. */
export const LEARNING_RATE_FIELD: Field<number> = numberField({
  above: 0,
  flag: "lr",
  help: "learning rate of all steps",
});
