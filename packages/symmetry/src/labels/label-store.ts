import { at } from "@isthmus/core";
import { findRoot, findRoots, joinSets } from "../kernels/disjoint-sets.ts";
import { mixHigh, mixLow } from "../kernels/hash.ts";
import { sameData } from "./field.ts";

/** Maker of a family of labels: a field of a weight, or an operator. */
export interface Owner {
  /** Name of the weight; undefined for labels that an operator made. */
  readonly weight?: string;
  /** Name of the node, or of the weight. */
  readonly name: string;
  /** First label of the family: the labels are `firstLabel .. firstLabel + count - 1`. */
  readonly firstLabel: number;
  /** Number of labels in the family. */
  readonly count: number;
}

/** A union of two arrays of labels, position by position: `a[i]` and `b[i]` move together. */
export interface Link {
  /** Labels on one side of the union, `[pairs]`. */
  readonly a: Int32Array;
  /** Labels on the other side of the union, `[pairs]`. */
  readonly b: Int32Array;
}

/**
 * A function of labels, each of which determines another: `s(parent(x)) = parent(s(x))` for every admissible
 * permutation s.
 */
export interface LabelFunction {
  /** Distinct labels that determine others. */
  readonly child: Int32Array;
  /** Label that each child determines, `[children]`; several children may share one. */
  readonly parent: Int32Array;
}

/** A reason for which a label may not move. */
export interface Reason {
  /** Name of the node that demanded it. */
  readonly node: string;
  /** Explanation in words, for messages. */
  readonly text: string;
}

/** Properties of labels by which symmetries are named. */
export const LABEL_FLAGS = {
  /** Flag of labels on the side of a weight that a contraction sums over. */
  weightInput: 1,
  /** Flag of labels that are summed over in a product of two activations, such as queries with keys. */
  paired: 2,
} as const;

/** Capacity of a new store; it doubles as needed. */
const INITIAL_CAPACITY = 1024;

/**
 * A record of labels: labels that move together (links), labels that determine others (functions), and labels
 * that differ (marks).
 *
 * It only records facts: `define-function.ts` draws conclusions from functions that share children.
 */
export class LabelStore {
  /** Parents of a union-find over labels, whose sets are the classes. */
  parent: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Sum of the hashes of all marks, in two halves. */
  markLow: Int32Array = new Int32Array(INITIAL_CAPACITY);
  markHigh: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Index into {@link owners} of each label. */
  owner: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Bits of {@link LABEL_FLAGS} of each label; they serve names and decide nothing. */
  flags: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  count = 0;
  readonly owners: Owner[] = [];
  readonly links: Link[] = [];
  readonly functions: LabelFunction[] = [];
  /**
   * Number of changes to classes and functions so far, by which callers see when nothing changes any more.
   */
  changes = 0;
  /** Name of the node that labels are carried through at the moment, for reasons and owners. */
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

  /** Creates labels with consecutive numbers, `[count]`, each in a separate class. */
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

  /** Finds the class of a label; a class has the number of one of its members. */
  classOf(label: number): number {
    return findRoot(this.parent, label);
  }

  /** Finds the classes of many labels. */
  classesOf(labels: Int32Array): Int32Array {
    return findRoots(this.parent, labels);
  }

  /** Checks whether all labels are of different classes. */
  isInjective(labels: Int32Array): boolean {
    this.#round++;
    for (let i = 0; i < labels.length; i++) {
      const root = findRoot(this.parent, labels[i] as number);
      if (this.#seen[root] === this.#round) return false;
      this.#seen[root] = this.#round;
    }
    return true;
  }

  /** Returns the distinct labels of an array, in order of first occurrence. */
  distinct(labels: Int32Array): Int32Array {
    this.#round++;
    let count = 0;
    const distinct = new Int32Array(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      if (this.#seen[label] === this.#round) continue;
      this.#seen[label] = this.#round;
      distinct[count++] = label;
    }
    return count === labels.length ? labels : distinct.slice(0, count);
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

  /**
   * Finds the functions defined on all of some labels, and returns the parents that each function gives,
   * aligned with `child`.
   */
  functionsOn(child: Int32Array): Int32Array[] {
    const results: Int32Array[] = [];
    const candidates = this.#functionsByOwner.get(this.owner[child[0] as number] as number) ?? [];
    for (const index of candidates) {
      const parents = this.#apply(this.functions[index] as LabelFunction, child);
      if (parents !== undefined) results.push(parents);
    }
    return results;
  }

  /**
   * Returns the parents that a function gives to some children; undefined if it is not defined on all of
   * them.
   */
  #apply(of: LabelFunction, child: Int32Array): Int32Array | undefined {
    if (sameData(of.child, child)) return of.parent;
    if (of.child.length < child.length) return undefined;
    const slots = this.#slots;
    for (let e = 0; e < of.child.length; e++) slots[of.child[e] as number] = e + 1;
    let parents: Int32Array | undefined = new Int32Array(child.length);
    for (let i = 0; i < child.length; i++) {
      const slot = slots[child[i] as number] as number;
      if (slot === 0) {
        parents = undefined;
        break;
      }
      parents[i] = of.parent[slot - 1] as number;
    }
    for (let e = 0; e < of.child.length; e++) slots[of.child[e] as number] = 0;
    return parents;
  }

  /**
   * Marks labels, so that they differ from labels with other marks.
   *
   * Every call makes a new mark. With values, labels with different sets of values become different; the
   * reason, if given, is recorded for labels that may no longer move.
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

  /** Marks each label as different from every other. */
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

  /**
   * Returns 1 for each label that is marked, linked or part of a function; all labels that an operator reads
   * are.
   */
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

  /** Records a reason for which labels may differ although no mark by values shows it. */
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

  /** Returns the number of the first reason recorded for a label, or 0; smaller numbers came first. */
  reasonNumber(label: number, weak: boolean): number {
    return at(weak ? this.#weakReasonOf : this.#reasonOf, label, "label");
  }

  /** Returns the reason with a number; undefined for 0. */
  reason(number: number): Reason | undefined {
    return this.#reasons[number - 1];
  }
}
