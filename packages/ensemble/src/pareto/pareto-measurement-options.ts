import type { FieldsOf } from "@isthmus/core";
import { PAIR_IMAGES_FIELDS, type PairImagesOptions } from "@isthmus/data";
import { TRAIN_DEFAULTS, TRAINING_FIELDS, type TrainingChoice } from "@isthmus/training";
import { PARETO_FIELDS, type ParetoChoice } from "./pareto-options.ts";

/** Options of the networks of the fronts, of their training, and of the pairing of two images in one. */
export interface ParetoMeasurementChoice
  extends ParetoChoice,
    Pick<PairImagesOptions, "layout">,
    Omit<TrainingChoice, "loss"> {
  /** Seed of the pairing of images. @defaultValue `seed` */
  readonly pairs?: number | undefined;
}

const { seed, epochs, batch, remainder, optimizer, schedule, augment, freeze, threads, saveEvery } =
  TRAINING_FIELDS;

/** Fields of {@link ParetoMeasurementChoice}. */
export const PARETO_MEASUREMENT_FIELDS: FieldsOf<ParetoMeasurementChoice> = {
  layout: PAIR_IMAGES_FIELDS.layout,
  pairs: { ...PAIR_IMAGES_FIELDS.seed, default: undefined, tasksOnly: true },
  ...PARETO_FIELDS,
  seed,
  epochs,
  batch,
  remainder: { ...remainder, keyed: "if-named" },
  optimizer,
  schedule: { ...schedule, default: TRAIN_DEFAULTS.schedule },
  augment: { ...augment, keyed: "if-named" },
  freeze,
  threads,
  saveEvery,
};
