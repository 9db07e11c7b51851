/**
 * Largest number of clients and addresses that are counted at once; beyond it, the entry whose minute began
 * first is forgotten.
 */
const MOST_COUNTED = 5000;

/** Number of requests of one client or address since its time window began. */
interface RequestCount {
  current: number;
  readonly began: number;
}

/** Callback with the count after a request, and the milliseconds until counting starts again. */
type CountCallback = (error: Error | null, result: { current: number; ttl: number }) => void;

/**
 * Counts requests for the limit of a rate, by a monotonic clock: the plugin's own counts would last an hour
 * longer if the clock of the machine were set back by an hour.
 */
export class RequestCounts {
  readonly #counts = new Map<string, RequestCount>();

  /** Counts a request of a client or an address. */
  incr(key: string, callback: CountCallback, timeWindow: number): void {
    const now = performance.now();
    const before = this.#counts.get(key);
    const goesOn = before !== undefined && now - before.began < timeWindow;
    const count = goesOn ? before : { current: 0, began: now };
    count.current++;
    if (!goesOn) this.#begin(key, count);
    callback(null, { current: count.current, ttl: timeWindow - (now - count.began) });
  }

  /** Returns the same counts, as the requests to all routes are counted together. */
  child(): RequestCounts {
    return this;
  }

  #begin(key: string, count: RequestCount): void {
    // The entry goes behind all others, so that the first entry of the map is the oldest.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MOST_COUNTED && oldest !== undefined) this.#counts.delete(oldest);
  }
}
