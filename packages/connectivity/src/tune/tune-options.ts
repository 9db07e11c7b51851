import { type FieldsOf, numberField, seedField, wholeField } from "@isthmus/core";

/** Progress of `tuneByConnectivity`. */
export interface TuneProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Epochs done so far. */
  readonly epochs: number;
}

/** Options that decide the weights that `tuneByConnectivity` returns. */
export interface ConnectivityRules {
  /** Seed of the order of examples, and of the places on the line. */
  readonly seed: number;
  /** Number of passes over the smaller of both data sets. @defaultValue 20 */
  readonly epochs?: number;
  /** Number of examples of each data set in a step. @defaultValue 64 */
  readonly batch?: number;
  /**
   * Learning rate of SGD (momentum 0.9): constant during the `warmup` epochs and one more, then cosine decay
   * over the number of all steps.
   * @defaultValue 0.01
   */
  readonly learningRate?: number;
  /** Weight decay: factor of the weights that are added to gradients. @defaultValue 0.0001 */
  readonly weightDecay?: number;
  /** Target loss of networks on the line on data with the cue, in nats. @defaultValue 1 */
  readonly margin?: number;
  /** Weight of the distance between representations of examples with and without the cue. @defaultValue 1 */
  readonly invariance?: number;
  /** Number of first epochs in which that distance does not count. @defaultValue 1 */
  readonly warmup?: number;
}

/** Largest number of passes over the examples: more would run for years. */
const MOST_EPOCHS = 100_000;
/** Largest number of examples in a step: all of them are held in memory. */
const MOST_IN_STEP = 2 ** 20;

/** Fields of {@link ConnectivityRules}. */
export const CONNECTIVITY_FIELDS: FieldsOf<ConnectivityRules> = {
  seed: seedField("seed of the order of examples, and of the places on the line"),
  epochs: wholeField({
    least: 1,
    most: MOST_EPOCHS,
    default: 20,
    help: "times each example is seen; a step of cbft computes three gradients, of the others one",
  }),
  batch: wholeField({
    least: 1,
    most: MOST_IN_STEP,
    default: 64,
    help: "examples in a step, or all if there are fewer",
  }),
  learningRate: numberField({
    least: 0,
    default: 0.01,
    flag: "lr",
    help: "learning rate of SGD with momentum 0.9",
  }),
  weightDecay: numberField({ least: 0, default: 1e-4, help: "weight decay" }),
  margin: numberField({
    least: 0,
    default: 1,
    placeholder: "<nats>",
    help: "of cbft: loss to reach on the line",
  }),
  invariance: numberField({
    least: 0,
    default: 1,
    help: "of cbft: weight of the distance between representations with and without the cue",
  }),
  warmup: wholeField({
    least: 0,
    most: MOST_EPOCHS,
    default: 1,
    placeholder: "<epochs>",
    help: "of cbft: epochs without that distance",
  }),
};

/** Options of `tuneByConnectivity`. */
export interface TuneByConnectivityOptions extends ConnectivityRules {
  /**
   * File to which the state is written after each epoch, and from which a later call resumes; the caller
   * removes it.
   * @defaultValue none
   */
  readonly statePath?: string | undefined;
  /** Whether to resume from an existing state, to the same bytes. @defaultValue false */
  readonly resume?: boolean;
  /**
   * Signal that stops the tuning between two batches; the state of the last finished epoch stays.
   * @defaultValue never stopped
   */
  readonly signal?: AbortSignal | undefined;
  /** Callback for the progress, called after every epoch. @defaultValue none */
  readonly onProgress?: ((progress: TuneProgress) => void) | undefined;
}

/** Defaults of the options that are not plain data. */
export const TUNING_RUN_DEFAULTS: Required<Omit<TuneByConnectivityOptions, keyof ConnectivityRules>> = {
  statePath: undefined,
  resume: false,
  signal: undefined,
  onProgress: undefined,
};
