/** Most things in one batch. */
const LARGEST = 500;
/** Milliseconds that a thing waits for others. */
const WAIT_MS = 20;

/** Gathers things that come one by one, and hands them on together. */
export interface Gatherer<T> {
  add(thing: T): void;
  /** Hands on all things that wait, and returns once that is done. */
  flush(): Promise<void>;
}

/** Makes a {@link Gatherer}; batches are handed on one after the other. */
export function createGatherer<T>(handOn: (things: readonly T[]) => Promise<void>): Gatherer<T> {
  let things: T[] = [];
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    while (things.length > 0) {
      const batch = things.slice(0, LARGEST);
      things = things.slice(LARGEST);
      last = last.then(() => handOn(batch));
    }
    return last;
  };
  return {
    add(thing) {
      things.push(thing);
      if (things.length >= LARGEST) void flush();
      else timer ??= setTimeout(() => void flush(), WAIT_MS);
    },
    flush,
  };
}
