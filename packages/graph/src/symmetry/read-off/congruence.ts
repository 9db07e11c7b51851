import { mixHigh, mixLow } from "../kernels/hash.ts";
import { type Interned, internTuples } from "../kernels/intern.ts";
import { commonCoarsening } from "../labels/define-function.ts";
import { sameData } from "../labels/field.ts";
import type { LabelFunction, LabelStore } from "../labels/label-store.ts";

/** Rounds after which no more conclusions are drawn. */
const MAX_ROUNDS = 32;

/**
 * Functions after which no more are concluded, per function there was and at least. Networks need a few dozen; without a
 * limit, a tangle of partial overlaps has ever more in common. What is missed is found when the group is checked.
 */
const MAX_GROWTH = 4;
const MIN_LIMIT = 1000;

/**
 * Compares functions that different labels of the same classes carry, until nothing changes.
 *
 * Once queries and keys are tied, their heads, found separately from each, must be found to be the same.
 */
export function applyCongruence(store: LabelStore): void {
  const limit = Math.max(MIN_LIMIT, MAX_GROWTH * store.functions.length);
  let before = -1;
  for (let round = 0; round < MAX_ROUNDS && store.changes !== before; round++) {
    before = store.changes;
    new Round(store).run(limit);
  }
}

/** A function of classes, each named by one of its labels. */
interface ClassFunction {
  /** Classes, ascending. */
  readonly child: Int32Array;
  /** The class that each determines. */
  readonly parent: Int32Array;
}

/** Draws all conclusions of the functions of classes as they are at its start. */
class Round {
  readonly #store: LabelStore;
  /** A label for each class by which it is referred to, chosen by role so that like classes are treated alike. */
  readonly #representative: Int32Array;
  /** Functions without repeats, by what tells most of their sets of children apart. */
  readonly #byDomain = new Map<string, ClassFunction[]>();

  constructor(store: LabelStore) {
    this.#store = store;
    this.#representative = chooseRepresentatives(store);
    const kinds = describeClasses(store);
    for (const part of store.functions.flatMap((known) => splitByRole(store, known, kinds))) {
      const onClasses = express(store, part);
      if (onClasses !== undefined) this.#remember(onClasses);
    }
  }

  run(limit: number): void {
    for (const group of [...this.#byDomain.values()]) {
      for (let j = 1; j < group.length; j++) {
        for (let i = 0; i < j; i++) {
          if (this.#store.functions.length > limit) return;
          this.#compare(group[i] as ClassFunction, group[j] as ClassFunction);
        }
      }
    }
  }

  /** Tells whether a function was not known yet. */
  #remember(added: ClassFunction): boolean {
    const key = domainKey(added.child);
    const group = this.#byDomain.get(key);
    if (group === undefined) this.#byDomain.set(key, [added]);
    else if (group.some((known) => sameFunction(known, added))) return false;
    else group.push(added);
    return true;
  }

  #compare({ child, parent: p }: ClassFunction, { child: otherChild, parent: q }: ClassFunction): void {
    if (!sameData(child, otherChild) || sameData(p, q)) return;
    const left = internTuples([p], p.length);
    const right = internTuples([q], q.length);
    const pairs = internTuples([left.ids, right.ids], p.length).count;
    if (pairs === left.count && pairs === right.count) {
      this.#store.unite(this.#labelsOf(p, left), this.#labelsOf(q, left));
    } else if (pairs === left.count) {
      this.#record(p, q);
    } else if (pairs === right.count) {
      this.#record(q, p);
    } else {
      this.#coarsen(child, [p, left], [q, right]);
    }
  }

  /** Representatives of the classes of an array, one for each part of a partition of it. */
  #labelsOf(classes: Int32Array, { first }: Interned): Int32Array {
    return first.map((index) => {
      const c = classes[index] as number;
      // Labels made in this round stand for themselves.
      return this.#representative[c] ?? c;
    });
  }

  /** Records that classes `p[i]` determine classes `q[i]`, unless that is known. */
  #record(p: Int32Array, q: Int32Array): void {
    const distinct = internTuples([p], p.length);
    const order = distinct.first.slice().sort((i, j) => (p[i] as number) - (p[j] as number));
    const onClasses = {
      child: order.map((i) => p[i] as number),
      parent: order.map((i) => q[i] as number),
    };
    if (sameData(onClasses.child, onClasses.parent) || !this.#remember(onClasses)) return;
    const ordered = { ...distinct, first: order };
    this.#store.addFunction(this.#labelsOf(p, ordered), this.#labelsOf(q, ordered));
  }

  /** Finds or makes labels for what two functions of the same classes have in common. */
  #coarsen(
    child: Int32Array,
    [p, left]: readonly [Int32Array, Interned],
    [q, right]: readonly [Int32Array, Interned],
  ): void {
    const { ids, count } = commonCoarsening(left, right);
    if (count === 1) return;
    const found = this.#byDomain
      .get(domainKey(child))
      ?.find(
        (known) =>
          sameData(known.child, child) && sameData(internTuples([known.parent], ids.length).ids, ids),
      );
    const parents = found?.parent ?? this.#create(ids, count);
    this.#record(child, parents);
    this.#record(p, parents);
    this.#record(q, parents);
  }

  #create(ids: Int32Array, count: number): Int32Array {
    const labels = this.#store.create(count);
    return ids.map((id) => labels[id] as number);
  }
}

function sameFunction(a: ClassFunction, b: ClassFunction): boolean {
  return sameData(a.child, b.child) && sameData(a.parent, b.parent);
}

/** Tells most lists of classes apart. */
function domainKey(classes: Int32Array): string {
  const last = classes.length - 1;
  return `${classes.length}:${classes[0]}:${classes[last >> 1]}:${classes[last]}`;
}

/**
 * For each class, by its root, the member with the smallest role: classes that may be exchanged have members of the
 * same roles, and must be represented by corresponding ones.
 */
function chooseRepresentatives(store: LabelStore): Int32Array {
  const { count, owner, markLow, markHigh } = store;
  const representative = new Int32Array(count).fill(-1);
  const precedes = (a: number, b: number): boolean => {
    for (const table of [owner, markLow, markHigh]) {
      if (table[a] !== table[b]) return (table[a] as number) < (table[b] as number);
    }
    return false;
  };
  for (let label = 0; label < count; label++) {
    const root = store.classOf(label);
    const chosen = representative[root] as number;
    if (chosen < 0 || precedes(label, chosen)) representative[root] = label;
  }
  return representative;
}

/** Halves of a hash of what members each class has, by its root. */
type Kinds = readonly [Int32Array, Int32Array];

/** Describes each class by the owners and marks of its members. */
function describeClasses(store: LabelStore): Kinds {
  const { count, owner, markLow, markHigh } = store;
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  for (let label = 0; label < count; label++) {
    const root = store.classOf(label);
    const marks = mixLow(markLow[label] as number, markHigh[label] as number);
    low[root] = ((low[root] as number) + mixLow(marks, owner[label] as number)) | 0;
    high[root] = ((high[root] as number) + mixHigh(marks, owner[label] as number)) | 0;
  }
  return [low, high];
}

/**
 * Splits a function by what its children and their classes are, since those with different roles may have different
 * parents: rows of queries and rows of keys that were normalised by one node, or a vector and its copy behind it.
 */
function splitByRole(store: LabelStore, known: LabelFunction, kinds: Kinds): LabelFunction[] {
  const { child, parent } = known;
  const classes = store.classesOf(child);
  const columns = [
    ...[store.owner, store.markLow, store.markHigh].map((table) =>
      child.map((label) => table[label] as number),
    ),
    ...kinds.map((table) => classes.map((root) => table[root] as number)),
  ];
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
  const parents = store.classesOf(parent);
  const distinct = internTuples([classes], classes.length);
  const pairs = internTuples([classes, parents], classes.length);
  if (pairs.count !== distinct.count) return undefined;
  const order = distinct.first.slice().sort((i, j) => (classes[i] as number) - (classes[j] as number));
  return { child: order.map((i) => classes[i] as number), parent: order.map((i) => parents[i] as number) };
}
