import { findRoot, findRoots, joinSets } from "../kernels/disjoint-sets.ts";
import { mixHigh, mixLow } from "../kernels/hash.ts";
import { sameData } from "./field.ts";

/** What made a family of labels: a field of a weight, or an operator. */
export interface Owner {
  /** The weight, or undefined for labels an operator made. */
  readonly weight?: string;
  /** Name of the node, or of the weight. */
  readonly name: string;
  readonly firstLabel: number;
  readonly count: number;
}

/** A union of two arrays of labels, position by position: `a[i]` and `b[i]` move together. */
export interface Link {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** One label determines another: for every admissible permutation s, `s(parent(x)) = parent(s(x))`. */
export interface LabelFunction {
  /** Distinct labels. */
  readonly child: Int32Array;
  readonly parent: Int32Array;
}

/** Why a label may not move, as first recorded. */
export interface Reason {
  readonly node: string;
  readonly text: string;
}

/** What is remembered of labels for the sake of names. */
export const LABEL_FLAGS = {
  /** On the side of a weight that a contraction sums over. */
  weightInput: 1,
  /** Summed over in a product of two activations, as queries with keys. */
  paired: 2,
} as const;

/** Capacity of a new store; it doubles as needed. */
const INITIAL_CAPACITY = 1024;

/**
 * Labels, what moves together (links), what determines what (functions), and what tells labels apart (marks).
 *
 * A plain record of facts: what follows from functions that share children is in `define-function.ts`.
 */
export class LabelStore {
  /** Union-find over labels; classes are its sets. */
  parent: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Sum of the hashes of all marks, in two halves. */
  markLow: Int32Array = new Int32Array(INITIAL_CAPACITY);
  markHigh: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Index into {@link owners} of each label. */
  owner: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Bits of {@link LABEL_FLAGS} of each label; they name things and decide nothing. */
  flags: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  count = 0;
  readonly owners: Owner[] = [];
  readonly links: Link[] = [];
  readonly functions: LabelFunction[] = [];
  /** Counts changes to classes and functions, to find out when nothing changes any more. */
  changes = 0;
  /** Name of the node that is looked at, for reasons and owners. */
  node = "";

  readonly #functionsByOwner = new Map<number, number[]>();
  readonly #reasons: Reason[] = [];
  #reasonOf: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #weakReasonOf: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #seen: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #round = 0;
  /** Scratch of {@link functionsOn}, all 0 between calls. */
  #slots: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #marks = 0;

  /** Makes labels, each a class of its own, `[count]`, consecutive numbers. */
  create(count: number, weight?: string): Int32Array {
    this.#reserve(this.count + count);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const label = this.count + i;
      labels[i] = label;
      this.parent[label] = label;
      this.owner[label] = this.owners.length;
    }
    const name = weight ?? this.node;
    this.owners.push({ ...(weight === undefined ? {} : { weight }), name, firstLabel: this.count, count });
    this.count += count;
    return labels;
  }

  #reserve(count: number): void {
    let capacity = this.parent.length;
    if (count <= capacity) return;
    while (capacity < count) capacity *= 2;
    const grow = (old: Int32Array): Int32Array => {
      const grown = new Int32Array(capacity);
      grown.set(old);
      return grown;
    };
    this.parent = grow(this.parent);
    const flags = new Uint8Array(capacity);
    flags.set(this.flags);
    this.flags = flags;
    this.markLow = grow(this.markLow);
    this.markHigh = grow(this.markHigh);
    this.owner = grow(this.owner);
    this.#reasonOf = grow(this.#reasonOf);
    this.#weakReasonOf = grow(this.#weakReasonOf);
    this.#seen = grow(this.#seen);
    this.#slots = grow(this.#slots);
  }

  /** Class of a label, named by one of its members. */
  classOf(label: number): number {
    return findRoot(this.parent, label);
  }

  /** Classes of many labels. */
  classesOf(labels: Int32Array): Int32Array {
    return findRoots(this.parent, labels);
  }

  /** Tells whether no two labels are of one class. */
  isInjective(labels: Int32Array): boolean {
    this.#round++;
    for (let i = 0; i < labels.length; i++) {
      const root = findRoot(this.parent, labels[i] as number);
      if (this.#seen[root] === this.#round) return false;
      this.#seen[root] = this.#round;
    }
    return true;
  }

  /** The distinct labels of an array, in order of first occurrence. */
  distinct(labels: Int32Array): Int32Array {
    this.#round++;
    let count = 0;
    const found = new Int32Array(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      if (this.#seen[label] === this.#round) continue;
      this.#seen[label] = this.#round;
      found[count++] = label;
    }
    return count === labels.length ? labels : found.slice(0, count);
  }

  /** Records that `a[i]` and `b[i]` move together, for all `i`. */
  unite(a: Int32Array, b: Int32Array): void {
    if (sameData(a, b)) return;
    this.links.push({ a, b });
    for (let i = 0; i < a.length; i++) {
      if (joinSets(this.parent, a[i] as number, b[i] as number)) this.changes++;
    }
  }

  /** Records a function without drawing conclusions; `child` holds distinct labels. */
  addFunction(child: Int32Array, parent: Int32Array): void {
    this.changes++;
    const index = this.functions.push({ child, parent }) - 1;
    let last = -1;
    for (let i = 0; i < child.length; i++) {
      const owner = this.owner[child[i] as number] as number;
      if (owner === last) continue;
      last = owner;
      const list = this.#functionsByOwner.get(owner);
      if (list === undefined) this.#functionsByOwner.set(owner, [index]);
      else if (list.at(-1) !== index) list.push(index);
    }
  }

  /** Functions defined on all of these labels: the parents each gives, aligned with `child`. */
  functionsOn(child: Int32Array): Int32Array[] {
    const found: Int32Array[] = [];
    const candidates = this.#functionsByOwner.get(this.owner[child[0] as number] as number) ?? [];
    for (const index of candidates) {
      const parents = this.#apply(this.functions[index] as LabelFunction, child);
      if (parents !== undefined) found.push(parents);
    }
    return found;
  }

  #apply(known: LabelFunction, child: Int32Array): Int32Array | undefined {
    if (sameData(known.child, child)) return known.parent;
    if (known.child.length < child.length) return undefined;
    const slots = this.#slots;
    for (let e = 0; e < known.child.length; e++) slots[known.child[e] as number] = e + 1;
    let parents: Int32Array | undefined = new Int32Array(child.length);
    for (let i = 0; i < child.length; i++) {
      const slot = slots[child[i] as number] as number;
      if (slot === 0) {
        parents = undefined;
        break;
      }
      parents[i] = known.parent[slot - 1] as number;
    }
    for (let e = 0; e < known.child.length; e++) slots[known.child[e] as number] = 0;
    return parents;
  }

  /**
   * Tells labels apart from labels with other marks.
   *
   * Every call is a mark of its own. With values, labels with different sets of values become different; a
   * reason is then recorded for what may stop moving.
   */
  mark(labels: Int32Array, values?: Int32Array, reason?: string): void {
    const mark = ++this.#marks;
    if (values === undefined) {
      const low = mixLow(mark, 0);
      const high = mixHigh(mark, 0);
      const distinct = this.distinct(labels);
      for (let i = 0; i < distinct.length; i++) this.#add(distinct[i] as number, low, high);
    } else {
      this.#markValues(labels, values, mark);
    }
    if (reason !== undefined) this.#explain(this.#reasonOf, labels, reason);
  }

  #markValues(labels: Int32Array, values: Int32Array, mark: number): void {
    if (this.distinct(labels).length === labels.length) {
      for (let i = 0; i < labels.length; i++) {
        const value = (values[i] as number) + 1;
        this.#add(labels[i] as number, mixLow(mark, value), mixHigh(mark, value));
      }
      return;
    }
    const pairs = new Set<number>();
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      const value = values[i] as number;
      const before = pairs.size;
      pairs.add(label * 2 ** 31 + value);
      if (pairs.size === before) continue;
      this.#add(label, mixLow(mark, value + 1), mixHigh(mark, value + 1));
    }
  }

  #add(label: number, low: number, high: number): void {
    this.markLow[label] = ((this.markLow[label] as number) + low) | 0;
    this.markHigh[label] = ((this.markHigh[label] as number) + high) | 0;
  }

  /** Tells each label apart from every other. */
  freeze(labels: Int32Array, reason: string): void {
    this.mark(labels, labels, reason);
  }

  /** Sets a bit of {@link LABEL_FLAGS}. */
  flag(labels: Int32Array, bit: number): void {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      this.flags[label] = (this.flags[label] as number) | bit;
    }
  }

  /** 1 for each label that is marked, linked or part of a function, as all are that are computed with, `[count]`. */
  findTouched(): Uint8Array {
    const touched = Uint8Array.from({ length: this.count }, (_, label) =>
      this.markLow[label] === 0 && this.markHigh[label] === 0 ? 0 : 1,
    );
    const lists = [
      ...this.links.flatMap(({ a, b }) => [a, b]),
      ...this.functions.flatMap(({ child, parent }) => [child, parent]),
    ];
    for (const list of lists) for (const label of list) touched[label] = 1;
    return touched;
  }

  /** Records what may have told labels apart without a mark by values. */
  note(labels: Int32Array, reason: string): void {
    this.#explain(this.#weakReasonOf, labels, reason);
  }

  #explain(table: Int32Array, labels: Int32Array, text: string): void {
    const number = this.#reasons.push({ node: this.node, text });
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      if (table[label] === 0) table[label] = number;
    }
  }

  /** Number of the first reason recorded for a label, or 0; smaller numbers came first. */
  reasonNumber(label: number, weak: boolean): number {
    return (weak ? this.#weakReasonOf[label] : this.#reasonOf[label]) ?? 0;
  }

  /** The reason of a number that is not 0. */
  reason(number: number): Reason | undefined {
    return this.#reasons[number - 1];
  }
}
