import { type Checkpoint, type FieldsOf, seedField, wholeField } from "@isthmus/core";
import {
  LEARNING_RATE_FIELD,
  TRAINING_FIELDS,
  type TrainingChoice,
  type TrainOptions,
} from "@isthmus/training";
import type { WalkPlace } from "./plan-walk.ts";

/** A network on a walked path. */
export interface WalkedPoint extends WalkPlace {
  /** The network; it must be read before the callback returns. */
  readonly network: Checkpoint;
}

/** Progress of a walk. */
export interface WalkProgress {
  /** Share of the steps that are done, in `[0, 1]`. */
  readonly done: number;
  /** Name of the layer that walks. */
  readonly layer: string;
}

/** How layers walk, and the layers behind them are trained; batch and loss are chosen as by `train`. */
export interface WalkChoice extends Pick<TrainingChoice, "batch" | "loss" | "optimizer"> {
  /** Moves in which a layer reaches its place. @defaultValue 20 */
  readonly moves?: number;
  /** Steps of training before each move. @defaultValue 20 */
  readonly trainSteps?: number;
  /** Learning rate of all steps. @defaultValue 0.03 */
  readonly learningRate?: number;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
}

/** Most moves of a layer. */
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
  // Entries of studies and command lines name none: the one that `train` chooses is in the key of a task.
  loss: { ...TRAINING_FIELDS.loss, tasksOnly: true },
  optimizer: TRAINING_FIELDS.optimizer,
  seed: seedField("seed of the order of examples"),
};

/** What a walk runs with, beside its options. */
export type WalkRun = Pick<TrainOptions, "threads"> & { readonly signal?: AbortSignal | undefined };

/** Options of `walkLayers`. */
export interface WalkLayersOptions extends WalkChoice, WalkRun {
  /**
   * File for the state, from which a walk that was stopped goes on, to the same points; removed at the end.
   * @defaultValue none is written
   */
  readonly statePath?: string | undefined;
  /** Called at every point of the path but its ends; once more for points that a resumed walk repeats. */
  readonly onPoint?: ((point: WalkedPoint) => Promise<void>) | undefined;
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined;
}
