/**
 * Judges by the times of files whether workers are dead, whatever the clocks are set to meanwhile: if a clock
 * jumps ahead, all files look old, and if it is set back, files of dead workers look new for hours.
 */
export interface LeaseWatch {
  /** Notes the time by the clock of the file system, in milliseconds; called at every look at the files. */
  look(time: number): void;
  /**
   * Returns whether a file was not written for a lease: by the clock of the file system, or because this
   * process has seen it unchanged for so long.
   * @param written - time at which the file was written, in milliseconds by the clock of the file system
   */
  isOver(name: string, written: number): boolean;
}

/**
 * Makes a watch over leases of so many milliseconds.
 * @param now - returns milliseconds of a clock that nobody sets. @defaultValue `performance.now`
 */
export function createLeaseWatch(lease: number, now = (): number => performance.now()): LeaseWatch {
  let last: { readonly time: number; readonly at: number } | undefined;
  /** Time until which ages by the clock of the file system mean nothing, as that clock jumped ahead. */
  let distrusted = Number.NEGATIVE_INFINITY;
  const seen = new Map<
    string,
    { readonly written: number; readonly since: number; readonly asked: number }
  >();
  return {
    look(time) {
      const at = now();
      // A worker that lives writes its files thrice in a lease, so that it has done so before trust is back.
      if (last !== undefined && time - last.time - (at - last.at) > lease / 2) distrusted = at + lease;
      last = { time, at };
      for (const [name, { asked }] of seen) if (at - asked > 2 * lease) seen.delete(name);
    },
    isOver(name, written) {
      const at = now();
      const before = seen.get(name);
      const isSame = before?.written === written;
      const since = isSame ? before.since : at;
      seen.set(name, { written, since, asked: at });
      const isOld = last !== undefined && at >= distrusted && written <= last.time - lease;
      // A worker whose clock is behind takes a task as if long ago, and writes its token a moment later.
      return isSame && (isOld || at - since >= lease);
    },
  };
}
