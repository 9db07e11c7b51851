/** A signal to which functions can listen, such as for changes of the state of a federation. */
export interface Signal {
  /** Calls a listener after every change, until the returned function is called. */
  listen(listener: () => void): () => void;
  /** Calls all listeners. */
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
