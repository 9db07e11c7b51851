import { EngineError, InputError } from "@isthmus/core";

/** Trouble with the connections to a queue: reports each outage once, and tries interrupted calls again. */
export interface Trouble {
  /** Reports an error to listeners, unless it belongs to an outage that was already reported. */
  report(error: unknown): void;
  /** Passes a sentence to listeners. */
  tell(sentence: string): void;
  /** Notes that the queue answers again. */
  over(): void;
  /** Registers a listener to sentences; the returned function removes it. */
  listen(listener: ((sentence: string) => void) | undefined): () => void;
  /**
   * Repeats a call until it succeeds, through outages of up to a minute; the call must be safe to repeat.
   * @param doing - description of the call for messages, after "Cannot"
   * @throws InputError if the queue does not answer for so long, refuses, or is closed meanwhile
   */
  insist<T>(doing: string, act: () => Promise<T>): Promise<T>;
  /** Ends all retries, so that nothing keeps this process alive. */
  close(): void;
}

/** Milliseconds that a queue may be away while a call is tried again. */
const LONGEST_OUTAGE = 60_000;
/** Milliseconds without errors after which the next error counts as a new outage. */
const QUIET = 5000;
/** Milliseconds before a call is tried again. */
const PAUSE = 250;

/** Errors that say that a server cannot be reached: codes of Node.js and PostgreSQL, and texts of clients. */
const AWAY =
  /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|Connection is closed|Connection terminated|timeout|none for \d+ seconds|^57P0|LOADING|READONLY|starting up|shutting down|not queryable/i;

/** Watches over the connections to a queue. */
export function createTrouble(name: string, clean: (error: unknown) => string): Trouble {
  /** Listeners, and how often each was added: a listener that was added twice still hears a sentence once. */
  const listeners = new Map<(sentence: string) => void, number>();
  let outage = false;
  let answered = false;
  let last = Number.NEGATIVE_INFINITY;
  const closing = new AbortController();
  const { signal } = closing;
  const tell = (sentence: string): void => {
    for (const listener of listeners.keys()) listener(sentence);
  };
  const trouble: Trouble = {
    report(error) {
      const now = performance.now();
      const isNew = !outage || (answered && now - last > QUIET);
      [outage, answered, last] = [true, false, now];
      if (isNew) tell(`Trouble with the ${name}: ${clean(error)}. Trying again until it answers`);
    },
    tell,
    over() {
      answered = true;
    },
    listen(listener) {
      if (listener === undefined) return () => undefined;
      const add = (times: number): void => {
        const now = (listeners.get(listener) ?? 0) + times;
        if (now > 0) listeners.set(listener, now);
        else listeners.delete(listener);
      };
      add(1);
      return () => add(-1);
    },
    async insist(doing, act) {
      const deadline = performance.now() + LONGEST_OUTAGE;
      for (;;) {
        try {
          const result = await within(act(), deadline, signal);
          trouble.over();
          return result;
        } catch (error) {
          if (isAway(error) && !signal.aborted) trouble.report(error);
          if (!isAway(error) || performance.now() > deadline || signal.aborted)
            throw failure(`${doing} the ${name}`, clean(error), name);
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    },
    close: () => closing.abort(new EngineError(CLOSED, { engine: "bullmq" })),
  };
  return trouble;
}

/** Checks whether an error says that the server cannot be reached, rather than that it refuses. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof AggregateError && error.errors.some(isAway)) return true;
  return AWAY.test(error.message) || (typeof code === "string" && AWAY.test(code));
}

/** Makes the error for a queue that fails a request; it has no cause, as the cause may hold secrets. */
export function failure(doing: string, reason: string, input: string): InputError {
  return new InputError(
    `Cannot ${doing} as it must answer: ${reason}. Check that the server runs and takes connections from here, ` +
      "then do it again: nothing is lost",
    { input },
  );
}

const CLOSED = "Cannot go on as the queue must be open: it was closed meanwhile";

/** Waits for a promise until a moment, or until a signal is aborted. */
async function within<T>(work: Promise<T>, deadline: number, signal: AbortSignal): Promise<T> {
  // The promise may fail after nobody waits for it any more.
  work.catch(() => undefined);
  let stop = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const seconds = LONGEST_OUTAGE / 1000;
    const error = new EngineError(`Cannot go on as there must be an answer: none for ${seconds} seconds`, {
      engine: "bullmq",
    });
    const timer = setTimeout(() => reject(error), Math.max(0, deadline - performance.now()));
    const close = (): void => reject(signal.reason);
    if (signal.aborted) close();
    signal.addEventListener("abort", close);
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", close);
    };
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
  }
}
