/** Estimates how long tasks will take from how long others of their kind took. */
export interface TimeLeft {
  /** Notes that a task took so long. */
  add(kind: string, seconds: number): void;
  /**
   * Seconds until the shares of tasks that are left will be done, so many at once.
   * @returns undefined while no task is done
   */
  estimate(
    left: readonly (readonly [kind: string, share: number])[],
    atOnce: number,
  ): TimeLeftEstimate | undefined;
}

/** How long tasks will take. */
export interface TimeLeftEstimate {
  readonly seconds: number;
  /** Whether tasks are left of a kind of which none is done yet; these are not counted. */
  readonly atLeast: boolean;
}

/** Makes a {@link TimeLeft}. */
export function createTimeLeft(): TimeLeft {
  const byKind = new Map<string, { seconds: number; count: number }>();
  return {
    add(kind, seconds) {
      const own = byKind.get(kind) ?? { seconds: 0, count: 0 };
      byKind.set(kind, { seconds: own.seconds + seconds, count: own.count + 1 });
    },
    estimate(left, atOnce) {
      if (byKind.size === 0) return undefined;
      const total = left.reduce((sum, [kind, share]) => {
        const known = byKind.get(kind);
        return known === undefined ? sum : sum + (share * known.seconds) / known.count;
      }, 0);
      const seconds = total / Math.max(1, Math.min(atOnce, left.length));
      return { seconds, atLeast: left.some(([kind]) => !byKind.has(kind)) };
    },
  };
}
