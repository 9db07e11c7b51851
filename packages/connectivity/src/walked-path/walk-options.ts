import { type Checkpoint, type FieldsOf, seedField, wholeField } from "@isthmus/core";
import {
  LEARNING_RATE_FIELD,
  TRAINING_FIELDS,
  type TrainingChoice,
  type TrainOptions,
} from "@isthmus/training";
import type { WalkPlace } from "./plan-walk.ts";

/** Network on a walked path, with its position. */
export interface WalkedPoint extends WalkPlace {
  /** Network at the point; it must be read before the callback returns. */
  readonly network: Checkpoint;
}

/** Progress of a walk. */
export interface WalkProgress {
  /** Share of the steps that are done, in `[0, 1]`. */
  readonly done: number;
  /** Name of the layer that walks. */
  readonly layer: string;
}

/**
 * Options of the walk of layers, and of the training of the layers behind them; batch and loss have the same
 * defaults as in `train`.
 */
export interface WalkChoice extends Pick<TrainingChoice, "batch" | "loss" | "optimizer"> {
  /** Number of moves in which a layer reaches its target. @defaultValue 20 */
  readonly moves?: number;
  /** Number of steps of training before each move. @defaultValue 20 */
  readonly trainSteps?: number;
  /** Learning rate of all steps. @defaultValue 0.03 */
  readonly learningRate?: number;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
}

/** Largest number of moves of a layer. */
const MOST_MOVES = 10_000;

/** Fields of {@link WalkChoice}. */
export const WALK_FIELDS: FieldsOf<WalkChoice> = {
  moves: wholeField({
    least: 1,
    most: MOST_MOVES,
    default: 20,
    help: "moves in which a layer reaches its place",
  }),
  trainSteps: wholeField({ least: 1, default: 20, help: "steps of training before each move" }),
  learningRate: { ...LEARNING_RATE_FIELD, default: 0.03 },
  batch: TRAINING_FIELDS.batch,
  // Entries of studies and command lines do not set the loss: the key of a task has the loss that `train`
  // chooses.
  loss: { ...TRAINING_FIELDS.loss, tasksOnly: true },
  optimizer: TRAINING_FIELDS.optimizer,
  seed: seedField("seed of the order of examples"),
};

/** Inputs of a walk beside its plain options: threads, a signal. */
export type WalkRun = Pick<TrainOptions, "threads"> & { readonly signal?: AbortSignal | undefined };

/** Options of `walkLayers`. */
export interface WalkLayersOptions extends WalkChoice, WalkRun {
  /**
   * File for the state, from which a stopped walk goes on, to the same points; removed at the end.
   * @defaultValue none is written
   */
  readonly statePath?: string | undefined;
  /** Called at every point of the path but its ends; once more for points that a resumed walk repeats. */
  readonly onPoint?: ((point: WalkedPoint) => Promise<void>) | undefined;
  /** Callback for the progress, called after every step of training. @defaultValue none */
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined;
}
