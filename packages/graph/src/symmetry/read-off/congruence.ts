import { internTuples } from "../kernels/intern.ts";
import { meet } from "../labels/define-function.ts";
import type { LabelFunction, LabelStore } from "../labels/label-store.ts";

/**
 * Compares functions that different labels of the same classes carry, until nothing changes.
 *
 * Once queries and keys are tied, their heads, found separately from each, must be found to be the same.
 */
export function applyCongruence(store: LabelStore): void {
  let before = -1;
  while (store.changes !== before) {
    before = store.changes;
    const byDomain = new Map<string, ClassFunction[]>();
    for (const known of [...store.functions]) {
      for (const part of splitByRole(store, known)) {
        const onClasses = express(store, part);
        if (onClasses === undefined) continue;
        const group = byDomain.get(onClasses.domain);
        if (group === undefined) byDomain.set(onClasses.domain, [onClasses]);
        else compare(store, group, onClasses);
      }
    }
  }
}

/** A function as a function of classes: aligned by ascending child class. */
interface ClassFunction {
  /** Names the set of child classes. */
  readonly domain: string;
  readonly classes: Int32Array;
  /** A parent label for each class. */
  readonly parents: Int32Array;
}

function compare(store: LabelStore, group: ClassFunction[], added: ClassFunction): void {
  const parents = store.classesOf(added.parents);
  for (const known of group) {
    if (!sameData(known.classes, added.classes)) continue;
    if (sameData(store.classesOf(known.parents), parents)) return;
  }
  for (const known of group) {
    if (sameData(known.classes, added.classes)) meet(store, known.parents, added.parents);
  }
  group.push(added);
}

function sameData(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/**
 * Splits a function by what marks its children have, since members of one class with different roles may have
 * different parents: rows of queries and rows of keys that were normalised by one node.
 */
function splitByRole(store: LabelStore, known: LabelFunction): LabelFunction[] {
  const { child, parent } = known;
  const columns = [store.owner, store.markLow, store.markHigh].map((table) =>
    child.map((label) => table[label] as number),
  );
  const roles = internTuples(columns, child.length);
  if (roles.count === 1 || roles.count === child.length) return [known];
  const parts = Array.from({ length: roles.count }, () => ({
    child: [] as number[],
    parent: [] as number[],
  }));
  for (let i = 0; i < child.length; i++) {
    const part = parts[roles.ids[i] as number];
    part?.child.push(child[i] as number);
    part?.parent.push(parent[i] as number);
  }
  const split = parts.map((part) => ({
    child: Int32Array.from(part.child),
    parent: Int32Array.from(part.parent),
  }));
  return [known, ...split];
}

/** The function on classes, or undefined if a class has members with parents of different classes. */
function express(store: LabelStore, { child, parent }: LabelFunction): ClassFunction | undefined {
  const classes = store.classesOf(child);
  const distinct = internTuples([classes], classes.length);
  const pairs = internTuples([classes, store.classesOf(parent)], classes.length);
  if (pairs.count !== distinct.count) return undefined;
  const order = distinct.first.slice().sort((i, j) => (classes[i] as number) - (classes[j] as number));
  const sorted = order.map((i) => classes[i] as number);
  const last = sorted.length - 1;
  const domain = `${sorted.length}:${sorted[0]}:${sorted[last >> 1]}:${sorted[last]}`;
  return { domain, classes: sorted, parents: order.map((i) => parent[i] as number) };
}
