/** Where the time of matching went, in seconds of wall clock. */
export interface MatchSeconds {
  readonly total: number;
  /** Products of weights. */
  readonly products: number;
  /** Reading, converting and permuting weights that are not kept in memory. */
  readonly reading: number;
  /** Linear assignments. */
  readonly assignment: number;
}

/** What is measured. */
export type TimedWork = Exclude<keyof MatchSeconds, "total">;

/** Adds up where time goes; at most one kind of work is under way at once. */
export class Stopwatch {
  readonly #started = performance.now();
  readonly #milliseconds: Record<TimedWork, number> = { products: 0, reading: 0, assignment: 0 };

  /** Runs something and adds how long it took. */
  async time<T>(work: TimedWork, run: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await run();
    } finally {
      this.#milliseconds[work] += performance.now() - started;
    }
  }

  /** As `time`, for what does not wait. */
  timeSync<T>(work: TimedWork, run: () => T): T {
    const started = performance.now();
    try {
      return run();
    } finally {
      this.#milliseconds[work] += performance.now() - started;
    }
  }

  /** What has been measured so far. */
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
