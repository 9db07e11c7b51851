/** Seconds of wall clock that matching took, by kind of work. */
export interface MatchSeconds {
  /** All time since matching began, other work included. */
  readonly total: number;
  /** Products of weights. */
  readonly products: number;
  /** Reading, converting and permuting weights that are not kept in memory. */
  readonly reading: number;
  /** Linear assignments. */
  readonly assignment: number;
}

/** Kinds of work that are measured. */
export type TimedWork = Exclude<keyof MatchSeconds, "total">;

/** Stopwatch that adds up the time of each kind of work; at most one kind is under way at once. */
export class Stopwatch {
  readonly #started = performance.now();
  readonly #milliseconds: Record<TimedWork, number> = { products: 0, reading: 0, assignment: 0 };

  /** Runs a function, and adds the time that it took. */
  async time<T>(work: TimedWork, run: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await run();
    } finally {
      this.#milliseconds[work] += performance.now() - started;
    }
  }

  /** Runs a synchronous function, and adds the time that it took. */
  timeSync<T>(work: TimedWork, run: () => T): T {
    const started = performance.now();
    try {
      return run();
    } finally {
      this.#milliseconds[work] += performance.now() - started;
    }
  }

  /** Returns the time measured so far. */
  read(): MatchSeconds {
    const { products, reading, assignment } = this.#milliseconds;
    return {
      total: (performance.now() - this.#started) / 1000,
      products: products / 1000,
      reading: reading / 1000,
      assignment: assignment / 1000,
    };
  }
}
