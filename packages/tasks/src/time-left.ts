/** Estimates the remaining time of tasks from the durations of finished tasks of the same kind. */
export interface TimeLeft {
  /** Records the duration of a finished task. */
  add(kind: string, seconds: number): void;
  /**
   * Estimates the seconds until the remaining tasks are done, `atOnce` of them at a time.
   * @param left - number of remaining tasks of each kind; a running task counts with its remaining share
   * @returns undefined while no task is done
   */
  estimate(
    left: readonly (readonly [kind: string, count: number])[],
    atOnce: number,
  ): TimeLeftEstimate | undefined;
}

/** Estimate of the remaining time of tasks. */
export interface TimeLeftEstimate {
  /** Seconds until all remaining tasks of known kinds are done. */
  readonly seconds: number;
  /** Whether some remaining tasks are of a kind of which none is finished; these are not included. */
  readonly atLeast: boolean;
}

/** Makes a {@link TimeLeft} without any durations. */
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
