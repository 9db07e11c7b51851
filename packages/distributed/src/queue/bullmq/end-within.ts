import { setTimeout } from "node:timers/promises";

/** Milliseconds that connections may take to end, as a server that is away does not answer. */
const CLOSING_TIME = 5000;

/**
 * Waits until a promise is settled, but at most for a given time; a rejection is ignored.
 * @returns whether the promise was settled in time
 */
export async function endWithin(ending: Promise<unknown>, longest: number = CLOSING_TIME): Promise<boolean> {
  const stop = new AbortController();
  const late = setTimeout(longest, false, { signal: stop.signal }).catch(() => false);
  const over = ending.then(
    () => true,
    () => true,
  );
  const isOver = await Promise.race([over, late]);
  stop.abort();
  return isOver;
}
