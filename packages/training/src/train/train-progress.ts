/** How far `train` has got. */
export interface TrainProgress {
  /** What is being done. */
  readonly phase: "training" | "evaluating";
  /** Steps made, of {@link steps}. */
  readonly step: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** The epoch under way, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Loss of the last batch, before its step; NaN before the first. */
  readonly loss: number;
  /** Mean loss of the epoch's batches so far; NaN before the first. */
  readonly meanLoss: number;
  /** Learning rate of the last step. */
  readonly learningRate: number;
  /** Recent rate of training. */
  readonly examplesPerSecond: number;
  /** Time that the steps left will take at this rate, and the evaluations left at that of the last. */
  readonly secondsLeft: number;
}

/** Measures the recent rate of steps. */
export interface Pace {
  /** Counts a step that has just been made. */
  tick(): void;
  /** Starts anew after a pause that is not to count. */
  restart(): void;
  /** Seconds of a step, recently; NaN before the first. */
  secondsPerStep(): number;
}

/** Seconds after which a step counts only 1/e of what it did. */
const MEMORY_SECONDS = 2;

/** Makes a {@link Pace}: a mean over steps that forgets old ones. */
export function createPace(now: () => number = () => performance.now()): Pace {
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
