import { joinSets, findRoot, singletons } from "../kernels/disjoint-sets.ts";
import { internTuples } from "../kernels/intern.ts";
import { sameData } from "./field.ts";
import type { LabelStore } from "./label-store.ts";

/**
 * Records that `child[i]` determines `parent[i]`, and what follows from it and functions known already.
 *
 * Two functions of one child cannot be permuted independently. Comparing them makes what they share
 * explicit: one determines the other, or both determine a common coarser label.
 *
 * @param child - labels; repeated ones must have parents of one class
 * @param parent - a label for each child
 */
export function defineFunction(store: LabelStore, child: Int32Array, parent: Int32Array): void {
  const [children, parents] = withoutRepeats(store, child, parent);
  if (children.length === 0) return;
  const known = store.functionsOn(children);
  if (known.some((other) => sameData(other, parents))) return;
  store.addFunction(children, parents);
  for (const other of known) meet(store, other, parents);
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
 * Draws the conclusions of two functions with the same children: `p[i]` and `q[i]` are the parents of child `i`.
 *
 * In one-to-one correspondence, they move together. If one determines the other, that is a function too.
 * Else the connected components of the pairs are a common coarsening, and get labels of their own.
 */
export function meet(store: LabelStore, p: Int32Array, q: Int32Array): void {
  const length = p.length;
  const left = internTuples([store.classesOf(p)], length);
  const right = internTuples([store.classesOf(q)], length);
  const pairs = internTuples([left.ids, right.ids], length);
  const a = pick(p, pairs.first);
  const b = pick(q, pairs.first);
  if (pairs.count === left.count && pairs.count === right.count) {
    // Pairs in one class already add nothing: which members correspond is known to the functions.
    if (!sameData(store.classesOf(a), store.classesOf(b))) store.unite(a, b);
  } else if (pairs.count === left.count) {
    defineFunction(store, p, q);
  } else if (pairs.count === right.count) {
    defineFunction(store, q, p);
  } else {
    coarsen(store, [a, b], [pick(left.ids, pairs.first), pick(right.ids, pairs.first)], left.count + right.count);
  }
}

/** Gives labels to the connected components of the bipartite graph with edges `(a[i], b[i])`. */
function coarsen(
  store: LabelStore,
  [a, b]: readonly [Int32Array, Int32Array],
  [left, right]: readonly [Int32Array, Int32Array],
  nodes: number,
): void {
  const sets = singletons(nodes);
  const offset = nodes - right.reduce((most, id) => Math.max(most, id + 1), 0);
  for (let e = 0; e < left.length; e++) joinSets(sets, left[e] as number, offset + (right[e] as number));
  const { ids, count } = internTuples([left.map((id) => findRoot(sets, id))], left.length);
  if (count === 1) return;
  const known = partitionParents(store, a, ids, count) ?? partitionParents(store, b, ids, count);
  const labels = known ?? store.create(count);
  const parents = ids.map((id) => labels[id] as number);
  defineFunction(store, a, parents);
  defineFunction(store, b, parents);
}

/**
 * Finds labels that a function already known gives exactly to the parts of a partition, so that labels with the
 * same meaning are not made again and again.
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
