import type { Checkpoint } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";

import type { AugmentOptions } from "../batches/augment.ts";
import type { Remainder } from "../batches/epoch-steps.ts";
import type { LocalTrainingOptions, ResolvedLocalTraining } from "../local/local-training.ts";
import type { TrainedLoss } from "../loss/loss-of-data.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { BaseOptimizerSpec, OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import type { ScheduleSpec } from "../schedule/schedule-spec.ts";
import type { TrainProgress } from "./train-progress.ts";

/** Steps after which the weights of a training are taken. */
export interface CollectedSteps {
  /** Numbers of finished steps, each at least 1. */
  readonly steps: readonly number[];
  /** Called after each of these steps; it must read the weights before it returns. */
  readonly take: (step: number, weights: Checkpoint) => Promise<void>;
}

/** Options of `train`. */
export interface TrainOptions extends LocalTrainingOptions {
  /**
   * Seed of the order of examples, of changes of images, and of the elements that dropout drops: a whole
   * number in `[0, 2^53)`.
   */
  readonly seed: number;
  /** Number of times each example is seen; 0 returns the network it starts with. @defaultValue 10 */
  readonly epochs?: number;
  /**
   * Examples in a step, at least 1 and at most the number of all examples.
   * @defaultValue the batch that the graph was exported for if it takes no other, else 128, or all examples
   *   if they are fewer
   */
  readonly batch?: number | undefined;
  /**
   * Rule for examples left over when an epoch does not divide into batches: `carry` begins the next epoch's
   * first batch with them, so that every example is seen once an epoch, and the very last batch is filled up
   * with examples of one more epoch; `drop` leaves them out of that epoch. @defaultValue "carry"
   */
  readonly remainder?: Remainder;
  /**
   * The loss to minimise, its name, or one name for each of several outputs, whose losses are added up. For a
   * loss of examples and labels, `lossOfData` fills in which input takes the examples and whether some labels
   * do not count; without a kind it chooses the kind, too.
   * @defaultValue the loss that `lossOfData` chooses: cross-entropy, for language models the cross-entropy of
   *   the next token, for labels that are no classes the loss of numbers
   */
  readonly loss?: TrainedLoss | undefined;
  /** Optimiser, which decides how parameters change in a step. @defaultValue SGD with momentum 0.9 */
  readonly optimizer?: OptimizerSpec;
  /**
   * Schedule of the learning rate.
   * @defaultValue the rate of the optimiser in {@link LEARNING_RATES}, falling to 0 along half a cosine
   */
  readonly schedule?: ScheduleSpec;
  /** Random changes of images, made anew each time they are seen. @defaultValue none */
  readonly augment?: AugmentOptions;
  /** Names of parameters that are not trained; `*` matches any characters. @defaultValue none */
  readonly freeze?: readonly string[];
  /** Examples to evaluate the network on after every epoch. @defaultValue none */
  readonly evaluationData?: DataSet | undefined;
  /** Threads of the engine; 0 lets it choose. The bits of results may depend on it. @defaultValue 0 */
  readonly threads?: number;
  /**
   * File ending in `.safetensors` for the state, from which training can resume. It is written after every
   * epoch, when training is aborted, and at the end, and replaces the one before. It can be opened as a
   * checkpoint, too.
   * @defaultValue none is written
   */
  readonly statePath?: string | undefined;
  /**
   * Number of steps after which the state is written, too; 0 to write it after epochs only. @defaultValue 0
   */
  readonly saveEvery?: number;
  /**
   * Whether to continue from the state at `statePath`, if the file exists, to the same bytes as if training
   * had never stopped.
   * @defaultValue false
   */
  readonly resume?: boolean;
  /**
   * Called after every epoch with the number of finished epochs and the weights, before the state is written:
   * files that it saves therefore exist for every epoch that a resumed training does not repeat. It must read
   * the weights before it returns.
   */
  readonly onEpoch?: ((epochs: number, weights: Checkpoint) => Promise<void>) | undefined;
  /**
   * Weights that are taken on the way. A resumed training takes the weights that it continues from once more,
   * and the weights of steps that it repeats, to the same bytes.
   */
  readonly collect?: CollectedSteps | undefined;
  /** Signal that aborts training between two steps, once the state is written. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every step, and while the network is evaluated. */
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
}

/** Learning rates by optimiser, for schedules that name none. */
export const LEARNING_RATES: Readonly<Record<BaseOptimizerSpec["kind"], number>> = {
  sgd: 0.05,
  adam: 0.001,
  adamw: 0.001,
};

type Optional =
  | "seed"
  | "evaluationData"
  | "loss"
  | "statePath"
  | "onEpoch"
  | "collect"
  | "signal"
  | "onProgress"
  | keyof LocalTrainingOptions;

/**
 * Defaults of {@link TrainOptions}; options that depend on graph, data and optimiser are chosen by
 * `chooseTrainOptions`.
 */
export const TRAIN_DEFAULTS: Required<Omit<TrainOptions, Optional | "batch">> & { readonly batch: number } = {
  epochs: 10,
  batch: 128,
  remainder: "carry",
  optimizer: { kind: "sgd", momentum: 0.9 },
  schedule: { kind: "cosine", learningRate: LEARNING_RATES.sgd },
  augment: {},
  freeze: [],
  threads: 0,
  saveEvery: 0,
  resume: false,
};

/** Options with all defaults filled in. */
export type ResolvedTrainOptions = Readonly<
  Required<Omit<TrainOptions, Exclude<Optional, "seed"> | "batch">> & {
    /** Loss to minimise, with its kind and its inputs. */
    readonly loss: LossSpec;
    /** Number of examples in a step. */
    readonly batch: number;
  } & ResolvedLocalTraining &
    Pick<TrainOptions, "statePath" | "onEpoch" | "collect" | "signal" | "onProgress">
>;
