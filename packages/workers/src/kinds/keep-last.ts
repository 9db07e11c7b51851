/**
 * Returns a function that opens a resource by a key, and keeps it open until it is called with another key:
 * tasks of a process come one after the other, and most need the same resource as the one before.
 * @param close - called with the kept resource, before another one is opened
 */
export function keepLast<T>(
  close: (opened: T) => Promise<void> = async () => {},
): (key: string, open: () => Promise<T>) => Promise<T> {
  let last: { readonly key: string; readonly opened: Promise<T> } | undefined;
  return async (key, open) => {
    if (last?.key !== key) {
      const earlier = last?.opened;
      // A resource that cannot be closed, or could not be opened, does not keep others from being opened.
      const closed = earlier?.then(close).catch(() => {});
      last = { key, opened: Promise.resolve(closed).then(open) };
    }
    const { opened } = last;
    try {
      return await opened;
    } catch (error) {
      // A file that is not there yet may be there for the next attempt.
      if (last.opened === opened) last = undefined;
      throw error;
    }
  };
}
