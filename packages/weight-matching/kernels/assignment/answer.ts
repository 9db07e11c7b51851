/** Exact answers about one row, from its list where that proves them, else after building the list again. */
import { bound, getF64 } from "./layout";
import { buildList } from "./list";
import { least, lookAtList, lookDense, lowerSecond, second } from "./look";
import { bring } from "./matrix";

/** Sets `least` of row `i` exactly, and `second` exactly or to a lower value (then no column of it is known). */
export function topTwo(i: i32): void {
  lookAtList(i);
  if (second <= getF64(bound, i)) return;
  buildList(i);
  lookAtList(i);
  const limit = getF64(bound, i);
  // Prices are finer than f32: the list may hold its entries a rounding above the bound.
  if (least > limit) lookDense(bring(i));
  else if (second > limit) lowerSecond(limit);
}

/** Least reduced cost of row `i`, exact. */
export function leastOf(i: i32): f64 {
  lookAtList(i);
  if (least <= getF64(bound, i)) return least;
  buildList(i);
  lookAtList(i);
  if (least > getF64(bound, i)) lookDense(bring(i));
  return least;
}

/** Least reduced cost of row `i` if its list proves it, else -Infinity. */
export function provenLeastOf(i: i32): f64 {
  lookAtList(i);
  return least <= getF64(bound, i) ? least : f64.NEGATIVE_INFINITY;
}

/** Whether the reduced cost `x` of an edge of row `i` is within `eps` of the least of the row. */
export function isWithin(i: i32, x: f64, eps: f64): bool {
  lookAtList(i);
  const known = min(least, getF64(bound, i));
  if (x - known <= eps) return true;
  if (least <= getF64(bound, i)) return false;
  return x - leastOf(i) <= eps;
}
