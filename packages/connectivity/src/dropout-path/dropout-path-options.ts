import { type FieldsOf, placesField } from "@isthmus/core";
import { DROPOUT_FIELDS, type DropoutChoice, type DropoutRun } from "../dropout-stability/dropout-options.ts";

/** Progress of the construction of a path. */
export interface BuildProgress {
  /** Share of the work that is done, in `[0, 1]`, by the number of trials. */
  readonly done: number;
}

/**
 * Options of `buildDropoutPath`; of all random choices of units, the one with the lowest largest loss is
 * taken.
 */
export interface BuildDropoutPathOptions extends DropoutChoice, DropoutRun {
  /** Callback for the progress, called after every trial. @defaultValue none */
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** Defaults of the inputs of the construction of a path beside its plain options. */
export const BUILD_RUN_DEFAULTS: Required<
  Pick<BuildDropoutPathOptions, "loss" | "statisticsData" | "signal" | "onProgress">
> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Options of the measurement of a path through networks without some units that are plain data. */
export interface DropoutPathChoice extends DropoutChoice {
  /** Number of places on each line of the path, including its first end but not its last. @defaultValue 4 */
  readonly pointsPerLine?: number;
}

/** Fields of {@link DropoutPathChoice}. */
export const DROPOUT_PATH_FIELDS: FieldsOf<DropoutPathChoice> = {
  ...DROPOUT_FIELDS,
  trials: { ...DROPOUT_FIELDS.trials, help: "choices of units at random, of which the best is taken" },
  pointsPerLine: placesField({
    least: 1,
    default: 4,
    help: "places on each straight line of the path, its first end included and its last one not",
  }),
};
