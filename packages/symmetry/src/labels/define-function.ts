import { findRoot, joinSets, singletons } from "../kernels/disjoint-sets.ts";
import { type Interned, internTuples } from "../kernels/intern.ts";
import { sameData } from "./field.ts";
import type { LabelStore } from "./label-store.ts";

/**
 * Records that `child[i]` determines `parent[i]`, and the conclusions from this and the functions so far.
 *
 * Two functions of one child cannot be permuted independently. Comparing them reveals their relation: one
 * determines the other, or both determine a coarser label.
 *
 * @param child - labels; repeated ones must have parents of one class
 * @param parent - a label for each child
 */
export function defineFunction(store: LabelStore, child: Int32Array, parent: Int32Array): void {
  const [children, parents] = withoutRepeats(store, child, parent);
  if (children.length === 0) return;
  const earlier = store.functionsOn(children);
  if (earlier.some((other) => sameData(other, parents))) return;
  store.addFunction(children, parents);
  for (const other of earlier) meet(store, other, parents);
}

function withoutRepeats(
  store: LabelStore,
  child: Int32Array,
  parent: Int32Array,
): readonly [Int32Array, Int32Array] {
  const distinct = store.distinct(child);
  if (distinct.length === child.length) return [child, parent];
  const { first } = internTuples([child], child.length);
  return [child.length === first.length ? child : pick(child, first), pick(parent, first)];
}

function pick(values: Int32Array, indices: Int32Array): Int32Array {
  return indices.map((index) => values[index] as number);
}

/**
 * Draws conclusions from two functions with the same children: `p[i]` and `q[i]` are the parents of child
 * `i`.
 *
 * Parents in one-to-one correspondence move together. If one determines the other, this is a function, too.
 * Otherwise the connected components of the pairs are a common coarsening, and get labels.
 */
function meet(store: LabelStore, p: Int32Array, q: Int32Array): void {
  const length = p.length;
  const left = internTuples([store.classesOf(p)], length);
  const right = internTuples([store.classesOf(q)], length);
  const pairs = internTuples([left.ids, right.ids], length).count;
  if (pairs === left.count && pairs === right.count) {
    // Pairs of one class add nothing: the functions already record which members correspond.
    if (sameData(store.classesOf(p), store.classesOf(q))) return;
    const { first } = internTuples([p, q], length);
    store.unite(pick(p, first), pick(q, first));
  } else if (pairs === left.count) {
    defineFunction(store, p, q);
  } else if (pairs === right.count) {
    defineFunction(store, q, p);
  } else {
    coarsen(store, { labels: p, classes: left }, { labels: q, classes: right });
  }
}

/** The parents that one function gives, and their classes. */
interface Side {
  readonly labels: Int32Array;
  readonly classes: Interned;
}

/** Gives labels to the connected components of the bipartite graph with edges `(p[i], q[i])`, by classes. */
function coarsen(store: LabelStore, p: Side, q: Side): void {
  const { ids, count } = commonCoarsening(p.classes, q.classes);
  if (count === 1) return;
  const labels =
    partitionParents(store, p.labels, ids, count) ??
    partitionParents(store, q.labels, ids, count) ??
    store.create(count);
  const parents = pick(labels, ids);
  defineFunction(store, p.labels, parents);
  defineFunction(store, q.labels, parents);
}

/** Finds the finest partition that two partitions of the same things both refine. */
export function commonCoarsening(p: Interned, q: Interned): Interned {
  const sets = singletons(p.count + q.count);
  p.ids.forEach((id, i) => {
    joinSets(sets, id, p.count + (q.ids[i] as number));
  });
  return internTuples([p.ids.map((id) => findRoot(sets, id))], p.ids.length);
}

/**
 * Finds labels that a recorded function gives exactly to the parts of a partition, so that labels with one
 * meaning are not created again and again.
 *
 * @param ids - part of each child, `0 .. count - 1`
 * @returns a label for each part
 */
export function partitionParents(
  store: LabelStore,
  child: Int32Array,
  ids: Int32Array,
  count: number,
): Int32Array | undefined {
  if (child.length === 0) return undefined;
  const { first } = internTuples([child], child.length);
  const parts = pick(ids, first);
  for (const parents of store.functionsOn(pick(child, first))) {
    const classes = internTuples([store.classesOf(parents)], parents.length);
    if (classes.count !== count) continue;
    if (internTuples([classes.ids, parts], parents.length).count !== count) continue;
    const labels = new Int32Array(count);
    for (let i = parents.length - 1; i >= 0; i--) labels[parts[i] as number] = parents[i] as number;
    return labels;
  }
  return undefined;
}
