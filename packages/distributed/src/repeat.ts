import { setTimeout } from "node:timers/promises";

/** An action that is repeated until it is stopped. */
export interface Repetition {
  /** Ends the repetition, and returns once a call that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Calls a function at once and then again and again, each time a pause after the call before has ended.
 * @param act - the action, which must never reject
 */
export function repeat(milliseconds: number, act: () => Promise<void>): Repetition {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await act();
      await setTimeout(milliseconds, undefined, { signal }).catch(() => {});
    }
  };
  const ended = run();
  return {
    stop() {
      stopping.abort();
      return ended;
    },
  };
}
