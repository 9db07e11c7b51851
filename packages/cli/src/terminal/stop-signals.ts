import { constants } from "node:os";

/** Listens for requests to stop; see {@link listenForStop}. */
export interface StopListener {
  /** Signal that the first request aborts. */
  readonly signal: AbortSignal;
  /** Returns the name of the first request; undefined until there is one. */
  received(): StopSignal | undefined;
  /** Stops listening, so that the next request ends the process at once. */
  close(): void;
}

/** A request to stop, which a command answers by cleaning up. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an abort signal, so that work under way ends cleanly; a second
 * request ends the process at once.
 */
export function listenForStop(): StopListener {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  const stop = (name: StopSignal): void => {
    if (first !== undefined) process.exit(exitCodeOf(name));
    first = name;
    controller.abort();
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  return {
    signal: controller.signal,
    received: () => first,
    close: () => {
      for (const name of STOP_SIGNALS) process.off(name, stop);
    },
  };
}

/**
 * Returns the exit code of a process that a signal ended, as shells report it: 130 for SIGINT,
 * 143 for SIGTERM.
 */
export function exitCodeOf(name: StopSignal): number {
  return 128 + constants.signals[name];
}
