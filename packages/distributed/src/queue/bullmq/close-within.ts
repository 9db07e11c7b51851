import { setTimeout } from "node:timers/promises";

/** Milliseconds that connections may take to end, as a server that is away does not answer. */
const CLOSING_TIME = 5000;

/** Waits until something is closed, but not for long, and whether or not it fails. */
export async function closeWithin(closing: Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const late = setTimeout(CLOSING_TIME, undefined, { signal: stop.signal });
  await Promise.race([closing, late]).catch(() => undefined);
  stop.abort();
  await late.catch(() => undefined);
}
