/** Maximum number of items in a batch. */
const LARGEST = 500;
/** Milliseconds that an item waits for others. */
const WAIT_MS = 20;

/** Batches of items that arrive one by one. */
export interface Gatherer<T> {
  /** Takes an item, which is handed on with others within 20 ms, or at once if the batch is full. */
  add(thing: T): void;
  /** Hands on all waiting items, and returns once the receiver has handled them. */
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
