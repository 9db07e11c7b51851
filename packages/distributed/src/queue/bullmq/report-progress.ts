import { endWithin } from "./end-within.ts";
import { isAway, type Trouble } from "./trouble.ts";

/** Reports the progress of one task to the queue. */
export interface ProgressReporter {
  /** Notes the share of the task that is done, in `[0, 1]`, which is sent within half a second. */
  readonly report: (done: number) => void;
  /**
   * Promise that resolves once the queue knows that the task has begun, so that it can name the worker if the
   * task ends this process at once; also resolves after a second if the queue does not answer.
   */
  readonly begun: Promise<unknown>;
  /** Stops reporting; resolves once no report is under way any more. */
  end(): Promise<void>;
}

/** Milliseconds between two reports on a task. */
const INTERVAL = 500;
/** Milliseconds that a task waits for the queue to note its beginning. */
const LONGEST_BEGINNING = 1000;

/**
 * Reports at once that a task has begun, and then its progress, at most twice a second.
 * @param send - sends the share that is done; undefined at the beginning
 */
export function createReporter(
  send: (done: number | undefined) => Promise<void>,
  trouble: Trouble,
): ProgressReporter {
  let latest: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sent = performance.now();
  let sending = Promise.resolve();
  const push = (done: number | undefined): void => {
    sent = performance.now();
    // Reports are sent one after the other, as an older one must not follow a newer one. The task does not
    // wait for them.
    sending = sending
      .then(() => send(done))
      .catch((error: unknown) => {
        if (isAway(error)) trouble.report(error);
      });
  };
  push(undefined);
  return {
    begun: endWithin(sending, LONGEST_BEGINNING),
    report(done) {
      latest = done;
      if (timer !== undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          push(latest);
        },
        Math.max(0, sent + INTERVAL - performance.now()),
      );
    },
    async end() {
      clearTimeout(timer);
      await sending;
    },
  };
}
