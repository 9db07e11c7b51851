import { setTimeout } from "node:timers/promises";

/** Milliseconds that connections may take to end, as a server that is away does not answer. */
const CLOSING_TIME = 5000;

/** Waits until something is over, but not for long, and whether or not it fails. */
export async function endWithin(ending: Promise<unknown>, longest: number = CLOSING_TIME): Promise<void> {
  const stop = new AbortController();
  const late = setTimeout(longest, undefined, { signal: stop.signal });
  await Promise.race([ending, late]).catch(() => undefined);
  stop.abort();
  await late.catch(() => undefined);
}
