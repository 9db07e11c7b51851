import { stat } from "node:fs/promises";
import type { MakingControl } from "@isthmus/findings";
import { createPace } from "../terminal/pace.ts";
import type { Context } from "../verb.ts";

/** The state that a training keeps, and whether it goes on from one that is there. */
interface Kept {
  readonly state: string | undefined;
  readonly resume: boolean;
}

/** Creates what a network is made under on a command line. */
export function makingControl({ state, resume }: Kept, { signal, progress }: Context): MakingControl {
  const pace = createPace();
  const report = (stage: string, done?: number): void => {
    if (done !== undefined) pace.note(done);
    progress(stage, done, pace.left);
  };
  return {
    signal,
    report,
    resuming: {
      statePath: state,
      resume,
      signal,
      onProgress: ({ step, steps }) => report(`Step ${step} of ${steps}`, step / steps),
    },
  };
}

/** Runs work that keeps a state; if it is stopped and has left one, says how to go on. */
export async function notingState<T>(
  { verb, state }: { readonly verb: string; readonly state: string },
  { signal, terminal }: Context,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isThere = (await stat(state).catch(() => undefined)) !== undefined;
    if (signal.aborted && isThere)
      terminal.note(`isthmus ${verb}: the state is in "${state}": --resume goes on`);
    throw error;
  }
}
