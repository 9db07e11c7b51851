/** Clients and addresses that are counted at once; beyond, the one whose minute began first is forgotten. */
const MOST_COUNTED = 5000;

/** How often somebody asked since the time began. */
interface RequestCount {
  current: number;
  readonly began: number;
}

/** Tells the count of a request, and the milliseconds until it begins again. */
type CountCallback = (error: Error | null, result: { current: number; ttl: number }) => void;

/**
 * Counts requests for the limit of a rate, by a clock that nobody sets: the counts of the plugin would go
 * on for an hour if the clock of the machine were set back by one.
 */
export class RequestCounts {
  readonly #counts = new Map<string, RequestCount>();

  /** Counts a request of somebody. */
  incr(key: string, callback: CountCallback, timeWindow: number): void {
    const now = performance.now();
    const before = this.#counts.get(key);
    const goesOn = before !== undefined && now - before.began < timeWindow;
    const count = goesOn ? before : { current: 0, began: now };
    count.current++;
    if (!goesOn) this.#begin(key, count);
    callback(null, { current: count.current, ttl: timeWindow - (now - count.began) });
  }

  /** Routes are counted together. */
  child(): RequestCounts {
    return this;
  }

  #begin(key: string, count: RequestCount): void {
    // Behind all others, so that the first one of the map is the oldest.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MOST_COUNTED && oldest !== undefined) this.#counts.delete(oldest);
  }
}
