import { type FieldsOf, numberField, wholeField } from "@isthmus/core";
import type { ScheduleSpec, TrainOptions, TrainProgress } from "@isthmus/training";
import { SUBSPACE_FIELDS, type SubspaceOptions } from "./create-subspace.ts";

/** Progress of `measureIntrinsicDimension`. */
export interface IntrinsicDimensionProgress {
  /** Stage of the measurement: full trainings, then trainings in subspaces. */
  readonly stage: "baseline" | "search";
  /** Dimension of the subspace, or the number of trained parameters. */
  readonly dimension: number;
  /** Seed of the present training. */
  readonly seed: number;
  /** Number of finished trainings; the total is not known before the search ends. */
  readonly trainings: number;
  /** Progress of the present training. */
  readonly training: TrainProgress;
}

/** Options that full trainings and trainings in subspaces share. */
type SharedOptions = Pick<
  TrainOptions,
  | "epochs"
  | "batch"
  | "remainder"
  | "loss"
  | "optimizer"
  | "augment"
  | "freeze"
  | "threads"
  | "saveEvery"
  | "signal"
>;

/** Options of the search of subspaces. */
export interface DimensionSearchChoice extends Omit<SubspaceOptions, "dimension"> {
  /** Share of the full network's accuracy that must be reached, in `(0, 1]`. @defaultValue 0.9 */
  readonly threshold?: number;
  /** First dimension of the search. @defaultValue the root of the number of trained parameters */
  readonly first?: number | undefined;
  /** Smallest dimension of the search. @defaultValue 1, or one for each layer */
  readonly least?: number | undefined;
  /** Largest dimension of the search. @defaultValue the number of trained parameters */
  readonly most?: number | undefined;
  /**
   * Width of the bracket, as a share of its lower end, at which the search ends, in `(0, 1]`.
   * @defaultValue 0.1
   */
  readonly resolution?: number;
}

/** Fields of {@link DimensionSearchChoice}. */
export const DIMENSION_SEARCH_FIELDS: FieldsOf<DimensionSearchChoice> = {
  ...SUBSPACE_FIELDS,
  threshold: numberField({
    above: 0,
    most: 1,
    default: 0.9,
    help: "share of the full accuracy that is to be reached",
  }),
  first: wholeField({
    least: 1,
    keyed: "if-named",
    help: "the first dimension (default: the root of the parameters)",
  }),
  least: wholeField({
    least: 1,
    keyed: "if-named",
    help: "the smallest dimension (default: 1, or one for each layer)",
  }),
  most: wholeField({
    least: 1,
    keyed: "if-named",
    help: "the largest dimension (default: the number of parameters)",
  }),
  resolution: numberField({
    above: 0,
    most: 1,
    default: 0.1,
    help: "width of the last bracket, as a share of its lower end",
  }),
};

/** Options of `measureIntrinsicDimension`. */
export interface MeasureIntrinsicDimensionOptions extends SharedOptions, DimensionSearchChoice {
  /**
   * Schedule of the learning rate in subspaces.
   * @defaultValue as in full trainings, but from 0.1, which suits Adam and coordinates
   */
  readonly schedule?: ScheduleSpec | undefined;
  /**
   * Schedule of the learning rate in full trainings.
   * @defaultValue the schedule that `train` chooses for the optimiser
   */
  readonly baselineSchedule?: ScheduleSpec | undefined;
  /**
   * Seeds of trainings: each decides a start, a subspace and the order of examples.
   * @defaultValue [0, 1, 2]
   */
  readonly seeds?: readonly number[];
  /**
   * File for the results of finished trainings, from which a measurement resumes; the state of the present
   * training is in a file beside it.
   * @defaultValue none is written
   */
  readonly journalPath?: string | undefined;
  /** Called after every step of a training. */
  readonly onProgress?: ((progress: IntrinsicDimensionProgress) => void) | undefined;
}
