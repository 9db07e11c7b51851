/** Estimates how long tasks will take from how long others of their kind took. */
export interface TimeLeft {
  /** Notes that a task took so long. */
  add(kind: string, seconds: number): void;
  /**
   * Seconds until the shares of tasks that are left will be done, so many at once.
   * @returns undefined while no task is done
   */
  estimate(left: readonly (readonly [kind: string, share: number])[], atOnce: number): number | undefined;
}

/** Makes a {@link TimeLeft}; a kind of which none is done yet is taken to be like the others. */
export function createTimeLeft(): TimeLeft {
  const byKind = new Map<string, { seconds: number; count: number }>();
  const all = { seconds: 0, count: 0 };
  return {
    add(kind, seconds) {
      const own = byKind.get(kind) ?? { seconds: 0, count: 0 };
      byKind.set(kind, own);
      for (const sum of [own, all]) {
        sum.seconds += seconds;
        sum.count += 1;
      }
    },
    estimate(left, atOnce) {
      if (all.count === 0) return undefined;
      const seconds = left.reduce((sum, [kind, share]) => {
        const known = byKind.get(kind) ?? all;
        return sum + (share * known.seconds) / known.count;
      }, 0);
      return seconds / Math.max(1, Math.min(atOnce, left.length));
    },
  };
}
