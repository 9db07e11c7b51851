import { at } from "@isthmus/core";

/**
 * Does something several times, a few at once, and yields the results in order.
 * @param limit - most that are under way, or wait for those before them
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
        // It may fail before its turn has come: nobody looks at it yet, which would end the process.
        promise.catch(() => {});
        underWay.push(promise);
      }
      const first = underWay.shift();
      if (first !== undefined) yield await first;
    }
  } finally {
    // After a failure, or if the caller stops early: the others still use what the caller closes next.
    await Promise.allSettled(underWay);
  }
}

/** Does something with each of many items, a few at once. */
export async function forEachOf<T>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  for await (const _ of inOrder(items.length, limit, (index) => run(at(items, index, "item"))));
}
