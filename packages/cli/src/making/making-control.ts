import type { MakingControl, TrainingPace } from "@isthmus/findings";
import { createPace } from "../terminal/pace.ts";
import { formatSpeed } from "../training/format-training.ts";
import type { Context } from "../verb.ts";

/** File of the state that a training keeps, and whether the training goes on from an existing one. */
interface Kept {
  readonly state: string | undefined;
  readonly resume: boolean;
}

/** Creates the controls of a command that makes a network. */
export function makingControl({ state, resume }: Kept, { signal, progress }: Context): MakingControl {
  const pace = createPace();
  const report = (stage: string, done?: number, training?: Partial<TrainingPace>): void => {
    if (done !== undefined) pace.note(done);
    progress(stage, done, () => formatSpeed(training, pace.left()));
  };
  return {
    signal,
    report: (stage, done) => report(stage, done),
    resuming: {
      statePath: state,
      resume,
      signal,
      onProgress: ({ step, steps, ...training }) =>
        report(`Step ${step} of ${steps}`, step / steps, training),
    },
  };
}
