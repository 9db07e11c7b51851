/** Estimates how long tasks will take from how long others of their kind took. */
export interface TimeLeft {
  /** Notes how long a task took. */
  add(kind: string, seconds: number): void;
  /**
   * Estimates the seconds until the remaining tasks are done, `atOnce` of them at a time.
   * @param left - number of tasks of a kind, or the share of one that is left
   * @returns undefined while no task is done
   */
  estimate(
    left: readonly (readonly [kind: string, count: number])[],
    atOnce: number,
  ): TimeLeftEstimate | undefined;
}

/** How long tasks will take. */
export interface TimeLeftEstimate {
  readonly seconds: number;
  /** Whether tasks are left of a kind of which none is done yet; these are not counted. */
  readonly atLeast: boolean;
}

/** Makes a {@link TimeLeft}, which starts without any times. */
export function createTimeLeft(): TimeLeft {
  const byKind = new Map<string, { seconds: number; count: number }>();
  return {
    add(kind, seconds) {
      const past = byKind.get(kind) ?? { seconds: 0, count: 0 };
      byKind.set(kind, { seconds: past.seconds + seconds, count: past.count + 1 });
    },
    estimate(left, atOnce) {
      if (byKind.size === 0) return undefined;
      const total = left.reduce((sum, [kind, count]) => {
        const past = byKind.get(kind);
        return past === undefined ? sum : sum + (count * past.seconds) / past.count;
      }, 0);
      const tasks = left.reduce((sum, [, count]) => sum + Math.ceil(count), 0);
      const seconds = total / Math.max(1, Math.min(atOnce, tasks));
      return { seconds, atLeast: left.some(([kind]) => !byKind.has(kind)) };
    },
  };
}
