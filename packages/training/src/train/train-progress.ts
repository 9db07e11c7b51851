/** Progress of `train`. */
export interface TrainProgress {
  /** Phase that `train` is in. */
  readonly phase: "training" | "evaluating";
  /** Share of the steps that are made, in `[0, 1]`. */
  readonly done: number;
  /** Steps made so far, of {@link steps}. */
  readonly step: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** The current epoch, from 0. */
  readonly epoch: number;
  /** Number of epochs of the whole training. */
  readonly epochs: number;
  /** Loss of the last batch, before its step; NaN before the first. */
  readonly loss: number;
  /** Mean loss of the epoch's batches so far; NaN before the first. */
  readonly meanLoss: number;
  /** Learning rate of the last step. */
  readonly learningRate: number;
  /** Recent speed of training. */
  readonly examplesPerSecond: number;
  /**
   * Seconds that the remaining steps will take at this speed, and the remaining evaluations at the speed of
   * the last one.
   */
  readonly secondsLeft: number;
}

/** A measurement of the recent time a step takes. */
export interface StepPace {
  /** Counts a step that has just been made. */
  tick(): void;
  /** Starts the next step now, so that a pause does not count. */
  restart(): void;
  /** Returns the recent mean time of a step in seconds; NaN before the first. */
  secondsPerStep(): number;
}

/** Seconds after which a step counts only 1/e of its weight at first. */
const MEMORY_SECONDS = 2;

/** Creates a {@link StepPace}: a mean over steps in which older steps count less. */
export function createStepPace(now: () => number = () => performance.now()): StepPace {
  let last = now();
  let mean = Number.NaN;
  return {
    tick() {
      const time = now();
      const seconds = (time - last) / 1000;
      last = time;
      const share = Number.isNaN(mean) ? 1 : 1 - Math.exp(-seconds / MEMORY_SECONDS);
      mean = share === 1 ? seconds : mean + share * (seconds - mean);
    },
    restart() {
      last = now();
    },
    secondsPerStep: () => mean,
  };
}
