/**
 * Indexed binary heap with decrease-key over items that are small integers. An item is in it at most once, so it never outgrows
 * the number of items.
 */
import { columns, getF64, getI32, heapItem, heapKey, heapPlace, rows, setF64, setI32 } from "./layout";

export let heapSize: i32 = 0;

/** Marks every item as absent; once for each solve. */
export function clearHeap(): void {
  heapSize = 0;
  memory.fill(heapPlace, 0xff, <usize>(columns + rows) << 2);
}

/** Removes what is left, in time proportional to what is left. */
export function emptyHeap(): void {
  for (let k = 0; k < heapSize; ++k) setI32(heapPlace, getI32(heapItem, k), -1);
  heapSize = 0;
}

/** Least key, or +Infinity. */
export function leastKey(): f64 {
  return heapSize == 0 ? f64.POSITIVE_INFINITY : getF64(heapKey, getI32(heapItem, 0));
}

/** Adds an item, or lowers its key. */
export function pushOrDecrease(item: i32, key: f64): void {
  let at = getI32(heapPlace, item);
  if (at < 0) at = heapSize++;
  setF64(heapKey, item, key);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const other = getI32(heapItem, up);
    if (getF64(heapKey, other) <= key) break;
    setI32(heapItem, at, other);
    setI32(heapPlace, other, at);
    at = up;
  }
  setI32(heapItem, at, item);
  setI32(heapPlace, item, at);
}

/** Removes and returns the item of least key. */
export function popLeast(): i32 {
  const result = getI32(heapItem, 0);
  setI32(heapPlace, result, -1);
  const item = getI32(heapItem, --heapSize);
  if (heapSize > 0) siftDown(item);
  return result;
}

function siftDown(item: i32): void {
  const key = getF64(heapKey, item);
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heapSize) break;
    let other = getI32(heapItem, child);
    if (child + 1 < heapSize) {
      const right = getI32(heapItem, child + 1);
      if (getF64(heapKey, right) < getF64(heapKey, other)) {
        other = right;
        ++child;
      }
    }
    if (getF64(heapKey, other) >= key) break;
    setI32(heapItem, at, other);
    setI32(heapPlace, other, at);
    at = child;
  }
  setI32(heapItem, at, item);
  setI32(heapPlace, item, at);
}
