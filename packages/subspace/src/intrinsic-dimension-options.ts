import { choiceField, type FieldsOf, listField } from "@isthmus/core";
import { type ScheduleSpec, TRAINING_FIELDS, type TrainingChoice } from "@isthmus/training";
import { DIMENSION_SEARCH_FIELDS, type DimensionSearchChoice } from "./measure-options.ts";
import { MEASURE_INTRINSIC_DIMENSION_DEFAULTS } from "./resolve-measure-options.ts";

/** Labels on which networks are trained: the given ones, or the same labels in another order. */
const LABEL_CHOICES = ["given", "shuffled"] as const;

/**
 * Options of the search of subspaces, and of the training of networks in them; other defaults are the same as
 * for `train`.
 */
export interface IntrinsicDimensionChoice extends DimensionSearchChoice, TrainingChoice {
  /**
   * Labels on which networks are trained: the given ones, or the same labels in another order.
   * @defaultValue "given"
   */
  readonly labels?: (typeof LABEL_CHOICES)[number];
  /** Seed of the order of shuffled labels. @defaultValue 0 */
  readonly seed?: number;
  /** Seeds, each of which decides a start, a matrix, and the order of examples. @defaultValue [0, 1, 2] */
  readonly seeds?: readonly number[];
  /** Schedule of the learning rate in full trainings. @defaultValue the schedule that `train` chooses */
  readonly baselineSchedule?: ScheduleSpec | undefined;
}

const { epochs, batch, remainder, loss, optimizer, schedule, augment, freeze, threads, saveEvery } =
  TRAINING_FIELDS;

/** Fields of {@link IntrinsicDimensionChoice}. */
export const INTRINSIC_DIMENSION_FIELDS: FieldsOf<IntrinsicDimensionChoice> = {
  labels: choiceField(LABEL_CHOICES, {
    flag: "shuffle-labels",
    placeholder: "",
    bare: "shuffled",
    default: "given",
    help: "train on labels in another order, and measure how many of them are learned by heart",
  }),
  seed: TRAINING_FIELDS.seed,
  ...DIMENSION_SEARCH_FIELDS,
  seeds: listField<number>(
    { type: "seed" },
    {
      default: MEASURE_INTRINSIC_DIMENSION_DEFAULTS.seeds,
      help: "seeds of trainings: each decides a start, a matrix, and the order of examples",
    },
  ),
  epochs,
  batch,
  remainder: { ...remainder, keyed: "if-named" },
  // Entries of studies do not set the loss: the key of a task has the loss that `train` chooses.
  loss: { ...loss, tasksOnly: true },
  optimizer: { ...optimizer, default: MEASURE_INTRINSIC_DIMENSION_DEFAULTS.optimizer },
  schedule: { ...schedule, help: "how the learning rate changes in subspaces (default: from 0.1 to 0)" },
  baselineSchedule: { ...schedule, help: "how the learning rate changes in full trainings" },
  augment: { ...augment, keyed: "if-named" },
  freeze,
  threads,
  saveEvery,
};
