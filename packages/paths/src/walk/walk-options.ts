import { assertWholeOptions, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { TRAIN_DEFAULTS, type TrainOptions } from "@isthmus/training";
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

/** How layers walk, and the layers behind them are trained. */
export interface WalkOptions extends Pick<TrainOptions, "batch" | "loss" | "optimizer" | "threads"> {
  /** Moves in which a layer reaches its place. @defaultValue 20 */
  readonly moves?: number;
  /** Steps of training before each move. @defaultValue 20 */
  readonly trainSteps?: number;
  /** Learning rate of all steps. @defaultValue 0.03 */
  readonly learningRate?: number;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `walkLayers`. */
export interface WalkLayersOptions extends WalkOptions {
  /**
   * File for the state, from which a walk that was stopped goes on, to the same points; removed at the end.
   * @defaultValue none is written
   */
  readonly statePath?: string | undefined;
  /** Called at every point of the path but its ends; once more for points that a resumed walk repeats. */
  readonly onPoint?: ((point: WalkedPoint) => Promise<void>) | undefined;
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined;
}

/** Defaults of {@link WalkOptions}; batch and loss are chosen as by `train`. */
export const WALK_DEFAULTS: Required<Omit<WalkOptions, "batch" | "loss">> = {
  moves: 20,
  trainSteps: 20,
  learningRate: 0.03,
  optimizer: TRAIN_DEFAULTS.optimizer,
  seed: 0,
  threads: TRAIN_DEFAULTS.threads,
  signal: undefined,
};

/** Options of a walk with all defaults filled in. */
export type ResolvedWalkOptions = Required<Omit<WalkOptions, "batch" | "loss">> &
  Pick<WalkLayersOptions, "batch" | "loss" | "statePath" | "onPoint" | "onProgress">;

/**
 * Fills in the defaults of a walk, and checks them.
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveWalkOptions(attempt: string, options: WalkLayersOptions): ResolvedWalkOptions {
  const { batch, loss, statePath, onPoint, onProgress, ...rest } = options;
  const resolved = resolveOptions(attempt, WALK_DEFAULTS, rest);
  assertWholeOptions(attempt, resolved, { moves: 1, trainSteps: 1, seed: 0 });
  const { learningRate } = resolved;
  if (!(learningRate > 0 && Number.isFinite(learningRate))) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as "learningRate" must be above 0 and finite: it is ${learningRate}`,
    );
  }
  return { ...resolved, batch, loss, statePath, onPoint, onProgress };
}
