/** Items of which the first is always at hand. */
export interface Heap<T> {
  readonly size: number;
  push(item: T): void;
  /** Returns the first item and leaves it; undefined if there is none. */
  peek(): T | undefined;
  /** Takes the first item out; undefined if there is none. */
  pop(): T | undefined;
}

/** Creates a binary heap; `isBefore` is a strict order of all items. */
export function createHeap<T>(isBefore: (one: T, other: T) => boolean): Heap<T> {
  const items: T[] = [];
  const swap = (i: number, j: number): void => {
    const item = items[i] as T;
    items[i] = items[j] as T;
    items[j] = item;
  };
  const isAhead = (i: number, j: number): boolean =>
    i < items.length && isBefore(items[i] as T, items[j] as T);
  const rise = (start: number): void => {
    for (let i = start; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!isAhead(i, parent)) return;
      swap(i, parent);
      i = parent;
    }
  };
  const sink = (): void => {
    for (let i = 0; ; ) {
      const child = isAhead(2 * i + 2, 2 * i + 1) ? 2 * i + 2 : 2 * i + 1;
      if (!isAhead(child, i)) return;
      swap(i, child);
      i = child;
    }
  };
  return {
    get size() {
      return items.length;
    },
    push(item) {
      items.push(item);
      rise(items.length - 1);
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length > 0) {
        items[0] = last as T;
        sink();
      }
      return first;
    },
  };
}
