/** Function that returns the time in milliseconds. */
export type Clock = () => number;

/**
 * Creates a clock that begins at the time of day and counts on by itself, so that no deadline moves if the
 * clock of the machine is set.
 */
export function createClock(): Clock {
  const began = Date.now() - performance.now();
  return () => Math.round(began + performance.now());
}

/**
 * Returns a clock that is not behind a time, such as that of the last event: that event may have been
 * journaled while the clock of the machine was ahead, and deadlines are counted from its time.
 */
export function notBehind(clock: Clock, time: number): Clock {
  const behind = Math.max(0, time - clock());
  return () => clock() + behind;
}
