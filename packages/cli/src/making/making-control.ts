import type { MakingControl, TrainingPace } from "@isthmus/findings";
import { createPace } from "../terminal/pace.ts";
import { formatSpeed } from "../training/format-training.ts";
import type { Context } from "../verb.ts";

/** The state that a training keeps, and whether it goes on from one that is there. */
interface Kept {
  readonly state: string | undefined;
  readonly resume: boolean;
}

/** Creates what a network is made under on a command line. */
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
