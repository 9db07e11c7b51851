/** Something that can be listened to, such as the state of a federation. */
export interface Signal {
  /** Calls a listener after every change, until the returned function is called. */
  listen(listener: () => void): () => void;
  /** Tells all listeners. */
  tell(): void;
  /** Number of listeners. */
  readonly size: number;
}

/** Creates a signal without listeners. */
export function createSignal(): Signal {
  const listeners = new Set<() => void>();
  return {
    listen(listener) {
      const entry = (): void => listener();
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    tell() {
      for (const listener of [...listeners]) listener();
    },
    get size() {
      return listeners.size;
    },
  };
}
