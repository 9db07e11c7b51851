/** Longest pause before a task is tried again, in milliseconds. */
export const LONGEST_PAUSE = 60_000;

/**
 * Returns the milliseconds before a task is tried again: twice as long after each failure, up to a minute.
 * @param failures - number of failures so far, at least 1
 * @param pause - milliseconds after the first failure
 */
export function pauseAfter(failures: number, pause: number): number {
  return Math.min(pause * 2 ** (failures - 1), LONGEST_PAUSE);
}

/** Returns the milliseconds before a task is handed out again whose worker had no room for it. */
export function pauseWithoutRoom(pause: number): number {
  return 5 * pause;
}
