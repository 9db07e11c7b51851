import type { TrainOptions, TrainProgress } from "@isthmus/training";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import type { Context } from "../verb.ts";
import { formatPace, formatPhase } from "./format-training.ts";

/** The verb that runs a training, and the file of its state. */
export interface FollowedTraining {
  /** Name of the command, to say how to go on. */
  readonly verb: string;
  /** File of the state, from which a training that was stopped goes on. */
  readonly state: string;
  /** Names the current phase in the progress bar. @defaultValue the epoch, and whether it is evaluated */
  readonly phase?: (progress: TrainProgress) => string;
}

/**
 * Runs a training and shows its progress; if it is stopped, says how to go on.
 * @param work - runs the training, with the options that keep its state, stop it and report its progress
 */
export async function followTraining<T>(
  { verb, state, phase = formatPhase }: FollowedTraining,
  context: Context,
  work: (options: Pick<TrainOptions, "statePath" | "signal" | "onProgress">) => Promise<T>,
): Promise<T> {
  const { signal, progress } = context;
  let done = 0;
  progress("Preparing");
  const left = () =>
    done > 0 ? `the state after ${done} steps is in "${state}": --resume goes on` : undefined;
  return sayHowToGoOn({ verb, left }, context, () =>
    work({
      statePath: state,
      signal,
      onProgress: (at) => {
        done = at.step;
        progress(phase(at), at.step / at.steps, () => formatPace(at));
      },
    }),
  );
}
