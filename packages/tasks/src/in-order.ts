import { at } from "@isthmus/core";

/**
 * Runs an action for each index, a few at once, and yields the results in order.
 * @param limit - maximum number of actions that are under way, or whose results wait for earlier ones
 */
export async function* inOrder<T>(
  count: number,
  limit: number,
  run: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const underWay: Promise<T>[] = [];
  try {
    for (let next = 0; next < count || underWay.length > 0; ) {
      for (; next < count && underWay.length < limit; next++) {
        const promise = run(next);
        // The promise may fail before its turn: as nobody awaits it yet, an unhandled rejection would end the
        // process.
        promise.catch(() => {});
        underWay.push(promise);
      }
      const first = underWay.shift();
      if (first !== undefined) yield await first;
    }
  } finally {
    // After a failure, or if the caller stops early, the others may still use resources that the caller
    // closes next.
    await Promise.allSettled(underWay);
  }
}

/** Runs an action for each of many items, a few at once. */
export async function forEachOf<T>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  for await (const _ of inOrder(items.length, limit, (index) => run(at(items, index, "item"))));
}
