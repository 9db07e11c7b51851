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
    const current = unitedRound(store);
    before = store.changes;
    current.relate(limit);
  }
}

/**
 * Starts a round in which nothing is left to unite. Where tokens and heads share an axis, each token has functions of its
 * own, which only once united are seen to be the same: related one by one, they would be as many as pairs of tokens.
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
  /** Functions of labels that operators made and that tell these apart, so that they must move with what they determine. */
  readonly #injective: LabelFunction[] = [];

  constructor(store: LabelStore) {
    this.#store = store;
    this.#representative = chooseRepresentatives(store);
    const kinds = describeClasses(store);
    for (const part of store.functions.flatMap((known) => splitByRole(store, known, kinds))) {
      const onClasses = express(store, part);
      if (onClasses === undefined) continue;
      if (isMade(store, part) && store.isInjective(onClasses.parent)) this.#injective.push(part);
      this.#remember(onClasses);
    }
  }

  /** Unites what corresponds one to one: children with what they determine, and what two functions of them give. */
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

  /** Records what of two functions with the same children determines the other, or what both determine. */
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
    // Those in one-to-one correspondence were united before, or came up in this round and will be in the next.
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

  /** Unites what was not united in this round already, directly or through others. */
  #unite(a: Int32Array, b: Int32Array): void {
    if (!sameData(this.#store.classesOf(a), this.#store.classesOf(b))) this.#store.unite(a, b);
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
    const parents =
      this.#findPartition(child, ids) ??
      this.#throughParents(p, ids) ??
      this.#throughParents(q, ids) ??
      this.#create(ids, count);
    this.#record(child, parents);
    this.#record(p, parents);
    this.#record(q, parents);
  }

  /** What a known function gives to each child, if it gives the same to the same part of a partition and no other. */
  #findPartition(child: Int32Array, ids: Int32Array): Int32Array | undefined {
    const functions = this.#byDomain.get(domainKey(child)) ?? [];
    return functions.find(
      (known) => sameData(known.child, child) && sameData(internTuples([known.parent], ids.length).ids, ids),
    )?.parent;
  }

  /** The same by way of what each child determines, `parents[i]`, which must determine its part. */
  #throughParents(parents: Int32Array, ids: Int32Array): Int32Array | undefined {
    const distinct = internTuples([parents], parents.length);
    const order = distinct.first.slice().sort((i, j) => (parents[i] as number) - (parents[j] as number));
    const child = order.map((i) => parents[i] as number);
    const parts = order.map((i) => ids[i] as number);
    const found = this.#findPartition(child, internTuples([parts], parts.length).ids);
    if (found === undefined) return undefined;
    const place = new Map(Array.from(child, (c, i) => [c, found[i] as number] as const));
    return parents.map((c) => place.get(c) ?? 0);
  }

  #create(ids: Int32Array, count: number): Int32Array {
    const labels = this.#store.create(count);
    return ids.map((id) => labels[id] as number);
  }
}

/** Tells whether an operator made the children: those of weights, as columns after a flatten, stay what follows others. */
function isMade(store: LabelStore, { child }: LabelFunction): boolean {
  return child.every((label) => store.owners[store.owner[label] as number]?.weight === undefined);
}

/** Groups functions that have the same children and give the same partition of them. */
function groupAlike(functions: readonly ClassFunction[]): ClassFunction[][] {
  if (functions.length < 2) return [];
  const groups = new Map<string, ClassFunction[]>();
  for (const known of functions) {
    const { ids } = internTuples([known.parent], known.parent.length);
    const key = `${known.child.join()}:${ids.join()}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [known]);
    else group.push(known);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
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
