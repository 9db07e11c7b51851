import type { LabelStore } from "../labels/label-store.ts";
import type { Classes } from "./classify.ts";

/**
 * Checks that a permutation of labels preserves every link, every function and every mark.
 *
 * Equal colours do not prove that a permutation exists, so each sampled permutation is checked.
 * @returns classes with a label for which it does not
 */
export function findViolations(store: LabelStore, classes: Classes, image: Int32Array): number[] {
  const violating = new Set<number>();
  const slots = new Int32Array(store.count);
  const check = (from: Int32Array, to: Int32Array): void => {
    for (let i = 0; i < from.length; i++) slots[from[i] as number] = i + 1;
    const repeated = from.some((label, i) => slots[label] !== i + 1) ? pairsOf(from, to) : undefined;
    for (let i = 0; i < from.length; i++) {
      const a = image[from[i] as number] as number;
      const b = image[to[i] as number] as number;
      const slot = slots[a] as number;
      const isPreserved =
        repeated === undefined ? slot > 0 && to[slot - 1] === b : repeated.has(a * 2 ** 31 + b);
      if (isPreserved) continue;
      violating.add(classes.classOf[from[i] as number] as number);
      violating.add(classes.classOf[to[i] as number] as number);
    }
    for (const label of from) slots[label] = 0;
  };
  for (const { a, b } of store.links) check(a, b);
  for (const { child, parent } of store.functions) check(child, parent);
  for (let label = 0; label < store.count; label++) {
    const moved = image[label] as number;
    const same =
      store.owner[label] === store.owner[moved] &&
      store.markLow[label] === store.markLow[moved] &&
      store.markHigh[label] === store.markHigh[moved];
    if (!same) violating.add(classes.classOf[label] as number);
  }
  return [...violating];
}

function pairsOf(from: Int32Array, to: Int32Array): Set<number> {
  const pairs = new Set<number>();
  for (let i = 0; i < from.length; i++) pairs.add((from[i] as number) * 2 ** 31 + (to[i] as number));
  return pairs;
}
