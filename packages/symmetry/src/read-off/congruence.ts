import { at, entry } from "@isthmus/core";
import { mixHigh, mixLow } from "../kernels/hash.ts";
import { type Interned, internTuples } from "../kernels/intern.ts";
import { commonCoarsening } from "../labels/define-function.ts";
import { sameData } from "../labels/field.ts";
import type { LabelFunction, LabelStore } from "../labels/label-store.ts";

/** Most rounds in which conclusions are drawn. */
const MAX_ROUNDS = 32;

/**
 * Limits on the number of functions, per function at the start and at least, beyond which no more are
 * concluded. Networks need a few dozen; without a limit, partial overlaps would give ever more common
 * coarsenings. Missed conclusions are detected when the group is checked.
 */
const MAX_GROWTH = 4;
const MIN_LIMIT = 1000;

/**
 * Compares the functions of different labels of the same classes, until nothing changes.
 *
 * Once queries and keys are tied, for example, this finds that the heads derived from queries are the heads
 * derived from keys.
 */
export function applyCongruence(store: LabelStore): void {
  const limit = Math.max(MIN_LIMIT, MAX_GROWTH * store.functions.length);
  let before = -1;
  for (let round = 0; round < MAX_ROUNDS && store.changes !== before; round++) {
    const current = unitedRound(store);
    before = store.changes;
    current.relate(limit);
  }
}

/**
 * Starts a round in which no labels remain to be united. If tokens and heads share an axis, each token has
 * separate functions, which turn out to be equal only after uniting: related one by one, they would be as
 * many as pairs of tokens.
 */
function unitedRound(store: LabelStore): Round {
  for (;;) {
    const round = new Round(store);
    const before = store.changes;
    round.unite();
    if (store.changes === before) return round;
  }
}

/** A function of classes, each named by one of its labels. */
interface ClassFunction {
  /** Classes, ascending. */
  readonly child: Int32Array;
  /** Classes that the children determine, one for each. */
  readonly parent: Int32Array;
}

/** A round that draws all conclusions from the functions of classes at its start. */
class Round {
  readonly #store: LabelStore;
  /** The label that represents each class, chosen by role so that like classes are treated alike. */
  readonly #representative: Int32Array;
  /** Functions without repeats, by a key that differs for most different sets of children. */
  readonly #byDomain = new Map<string, ClassFunction[]>();
  /**
   * Functions of labels made by operators with a different parent for each child: children and parents must
   * move together.
   */
  readonly #injective: LabelFunction[] = [];

  constructor(store: LabelStore) {
    this.#store = store;
    this.#representative = chooseRepresentatives(store);
    const kinds = describeClasses(store);
    for (const part of store.functions.flatMap((whole) => splitByRole(store, whole, kinds))) {
      const onClasses = express(store, part);
      if (onClasses === undefined) continue;
      if (isMade(store, part) && store.isInjective(onClasses.parent)) this.#injective.push(part);
      this.#remember(onClasses);
    }
  }

  /**
   * Unites labels that correspond one to one: children with their parents, and the parents that two functions
   * give them.
   */
  unite(): void {
    for (const { child, parent } of this.#injective) this.#unite(child, parent);
    for (const group of this.#byDomain.values()) {
      for (const [first, ...others] of groupAlike(group)) {
        if (first === undefined) continue;
        const left = internTuples([first.parent], first.parent.length);
        for (const { parent } of others) {
          const right = internTuples([parent], parent.length);
          this.#unite(this.#labelsOf(first.parent, left), this.#labelsOf(parent, right));
        }
      }
    }
  }

  /**
   * Records for each two functions with the same children that one determines the other, or the coarser
   * labels that both determine.
   */
  relate(limit: number): void {
    for (const group of [...this.#byDomain.values()]) {
      for (let j = 1; j < group.length; j++) {
        for (let i = 0; i < j; i++) {
          if (this.#store.functions.length > limit) return;
          this.#compare(group[i] as ClassFunction, group[j] as ClassFunction);
        }
      }
    }
  }

  /** Adds a function, and returns whether it is new. */
  #remember(added: ClassFunction): boolean {
    const key = domainKey(added.child);
    const group = this.#byDomain.get(key);
    if (group === undefined) this.#byDomain.set(key, [added]);
    else if (group.some((earlier) => sameFunction(earlier, added))) return false;
    else group.push(added);
    return true;
  }

  #compare({ child, parent: p }: ClassFunction, { child: otherChild, parent: q }: ClassFunction): void {
    if (!sameData(child, otherChild) || sameData(p, q)) return;
    const left = internTuples([p], p.length);
    const right = internTuples([q], q.length);
    const pairs = internTuples([left.ids, right.ids], p.length).count;
    // Parents in one-to-one correspondence were united before, or arose in this round and will be united in
    // the next.
    if (pairs === left.count && pairs === right.count) {
      return;
    } else if (pairs === left.count) {
      this.#record(p, q);
    } else if (pairs === right.count) {
      this.#record(q, p);
    } else {
      this.#coarsen(child, [p, left], [q, right]);
    }
  }

  /** Unites labels, unless they were united before, directly or through others. */
  #unite(a: Int32Array, b: Int32Array): void {
    if (!sameData(this.#store.classesOf(a), this.#store.classesOf(b))) this.#store.unite(a, b);
  }

  /** Returns representatives of the classes of an array, one for each part of a partition of it. */
  #labelsOf(classes: Int32Array, { first }: Interned): Int32Array {
    return first.map((index) => {
      const c = classes[index] as number;
      // A label created in this round represents itself.
      return c < this.#representative.length ? (this.#representative[c] as number) : c;
    });
  }

  /** Records that classes `p[i]` determine classes `q[i]`, unless this is recorded already. */
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

  /** Finds or creates labels for the finest common coarsening of two functions of the same classes. */
  #coarsen(
    child: Int32Array,
    [p, left]: readonly [Int32Array, Interned],
    [q, right]: readonly [Int32Array, Interned],
  ): void {
    const { ids, count } = commonCoarsening(left, right);
    if (count === 1) return;
    const parents =
      this.#findPartition(child, ids) ??
      this.#throughParents(p, ids) ??
      this.#throughParents(q, ids) ??
      this.#create(ids, count);
    this.#record(child, parents);
    this.#record(p, parents);
    this.#record(q, parents);
  }

  /**
   * Finds a function that gives equal parents exactly to the children of one part of a partition; returns its
   * parents.
   */
  #findPartition(child: Int32Array, ids: Int32Array): Int32Array | undefined {
    const functions = this.#byDomain.get(domainKey(child)) ?? [];
    return functions.find(
      (recorded) =>
        sameData(recorded.child, child) && sameData(internTuples([recorded.parent], ids.length).ids, ids),
    )?.parent;
  }

  /**
   * Finds a function as `#findPartition` does, but among the functions of the parents, `parents[i]`, which
   * must determine the part of child `i`.
   */
  #throughParents(parents: Int32Array, ids: Int32Array): Int32Array | undefined {
    const distinct = internTuples([parents], parents.length);
    const order = distinct.first.slice().sort((i, j) => (parents[i] as number) - (parents[j] as number));
    const child = order.map((i) => parents[i] as number);
    const parts = order.map((i) => ids[i] as number);
    const coarser = this.#findPartition(child, internTuples([parts], parts.length).ids);
    if (coarser === undefined) return undefined;
    const coarserOf = new Map(Array.from(child, (c, i) => [c, coarser[i] as number] as const));
    return parents.map((c) => entry(coarserOf, c, "parent"));
  }

  #create(ids: Int32Array, count: number): Int32Array {
    const labels = this.#store.create(count);
    return ids.map((id) => labels[id] as number);
  }
}

/**
 * Checks whether an operator made the children. Labels of weights, such as columns after a flatten, remain
 * followers.
 */
function isMade(store: LabelStore, { child }: LabelFunction): boolean {
  return child.every(
    (label) => at(store.owners, at(store.owner, label, "label"), "owner").weight === undefined,
  );
}

/** Groups functions that have the same children and give the same partition of them. */
function groupAlike(functions: readonly ClassFunction[]): ClassFunction[][] {
  if (functions.length < 2) return [];
  const groups = new Map<string, ClassFunction[]>();
  for (const onClasses of functions) {
    const { child, parent } = onClasses;
    const { ids } = internTuples([parent], parent.length);
    const key = `${child.join()}:${ids.join()}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [onClasses]);
    else group.push(onClasses);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

function sameFunction(a: ClassFunction, b: ClassFunction): boolean {
  return sameData(a.child, b.child) && sameData(a.parent, b.parent);
}

/** Returns a key that differs for most different lists of classes. */
function domainKey(classes: Int32Array): string {
  const last = classes.length - 1;
  return `${classes.length}:${classes[0]}:${classes[last >> 1]}:${classes[last]}`;
}

/**
 * Chooses for each class, by its root, the member with the smallest role: classes that may be exchanged have
 * members of the same roles, and must be represented by corresponding members.
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

/** The two halves of a hash of the members of each class, by its root. */
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
 * Splits a function by the roles of its children and of their classes, since children with different roles
 * may have different parents: rows of queries and rows of keys that one node normalises, or a vector and a
 * copy of it.
 */
function splitByRole(store: LabelStore, whole: LabelFunction, kinds: Kinds): LabelFunction[] {
  const { child, parent } = whole;
  const classes = store.classesOf(child);
  const columns = [
    ...[store.owner, store.markLow, store.markHigh].map((table) =>
      child.map((label) => table[label] as number),
    ),
    ...kinds.map((table) => classes.map((root) => table[root] as number)),
  ];
  const roles = internTuples(columns, child.length);
  if (roles.count === 1 || roles.count === child.length) return [whole];
  const parts = Array.from({ length: roles.count }, () => ({
    child: [] as number[],
    parent: [] as number[],
  }));
  for (let i = 0; i < child.length; i++) {
    const part = at(parts, roles.ids[i] as number, "role");
    part.child.push(child[i] as number);
    part.parent.push(parent[i] as number);
  }
  const split = parts.map((part) => ({
    child: Int32Array.from(part.child),
    parent: Int32Array.from(part.parent),
  }));
  return [whole, ...split];
}

/**
 * Converts a function to classes; returns undefined if a class has members with parents of different classes.
 */
function express(store: LabelStore, { child, parent }: LabelFunction): ClassFunction | undefined {
  const classes = store.classesOf(child);
  const parents = store.classesOf(parent);
  const distinct = internTuples([classes], classes.length);
  const pairs = internTuples([classes, parents], classes.length);
  if (pairs.count !== distinct.count) return undefined;
  const order = distinct.first.slice().sort((i, j) => (classes[i] as number) - (classes[j] as number));
  return { child: order.map((i) => classes[i] as number), parent: order.map((i) => parents[i] as number) };
}
