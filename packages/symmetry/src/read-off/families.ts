import { at, entry } from "@isthmus/core";
import { mixHigh, mixLow } from "../kernels/hash.ts";
import { internTuples } from "../kernels/intern.ts";
import type { LabelStore } from "../labels/label-store.ts";
import type { Classes } from "./classify.ts";

/**
 * A family of all classes of one colour, in cells of classes with equal parents. Inside a cell every
 * permutation is allowed; cells follow their parents.
 */
export interface Family {
  /** Classes of each cell, ascending. */
  readonly cells: readonly Int32Array[];
  /**
   * Parents of each cell, classes of plain or nested families, `[cells][arity]`; empty for a plain family.
   */
  readonly parents: readonly Int32Array[];
  /** Number of classes in each cell. */
  readonly size: number;
}

/**
 * Families in an order in which parents come before children, and classes that cannot be arranged in
 * families.
 */
export interface Arrangement {
  /** Families, of all movable classes unless there is a conflict. */
  readonly families: readonly Family[];
  /** Classes that cannot be arranged; empty if all can be. */
  readonly conflict: readonly number[];
  /** Number of classes in the cell of each class, `[classes]`; 0 for classes that do not move. */
  readonly cellSize: Int32Array;
}

/**
 * The parents of classes: class `c` determines `parent[start[c]] .. parent[start[c + 1] - 1]`, each in the
 * role that `slot` holds there.
 */
interface Parents {
  readonly start: Int32Array;
  readonly slot: Int32Array;
  readonly parent: Int32Array;
}

/** Arranges movable classes in families by their colours and parents. */
export function arrangeFamilies(store: LabelStore, classes: Classes): Arrangement {
  const parents = collectParents(store, classes);
  const cells = findCells(classes, parents);
  const cellSize = new Int32Array(classes.count);
  for (const cell of cells.flat()) for (const c of cell) cellSize[c] = cell.length;
  return { ...new Arranger(classes, parents, cells).arrange(), cellSize };
}

function isFrozen({ colour, colourSize }: Classes, c: number): boolean {
  return colourSize[colour[c] as number] === 1;
}

/**
 * Collects the parents of all classes. The role of a parent is the function and the colour of the child,
 * which are equal for classes of one colour.
 */
function collectParents(store: LabelStore, classes: Classes): Parents {
  const total = store.functions.reduce((sum, { child }) => sum + child.length, 0);
  const of = new Int32Array(total);
  const type = new Int32Array(total);
  const role = new Int32Array(total);
  const to = new Int32Array(total);
  let count = 0;
  store.functions.forEach(({ child, parent }, number) => {
    for (let i = 0; i < child.length; i++) {
      const label = child[i] as number;
      const c = classes.classOf[label] as number;
      const p = classes.classOf[parent[i] as number] as number;
      // A label may be united with a label that it determines, for example when no two of its siblings are
      // alike.
      if (c === p || isFrozen(classes, c) || isFrozen(classes, p)) continue;
      of[count] = c;
      type[count] = number;
      role[count] = classes.labelColour[label] as number;
      to[count++] = p;
    }
  });
  const slots = internTuples([type.subarray(0, count), role.subarray(0, count)], count).ids;
  return groupByClass(classes.count, of.subarray(0, count), slots, to.subarray(0, count));
}

function groupByClass(classCount: number, of: Int32Array, slots: Int32Array, to: Int32Array): Parents {
  const start = new Int32Array(classCount + 1);
  for (const c of of) start[c + 1] = (start[c + 1] as number) + 1;
  for (let c = 0; c < classCount; c++) start[c + 1] = (start[c + 1] as number) + (start[c] as number);
  const cursor = start.slice();
  const slot = new Int32Array(of.length);
  const parent = new Int32Array(of.length);
  of.forEach((c, i) => {
    const place = cursor[c] as number;
    slot[place] = slots[i] as number;
    parent[place] = to[i] as number;
    cursor[c] = place + 1;
  });
  return { start, slot, parent };
}

/**
 * Finds the classes of equal colour with equal parents, by colour; colours are in order of their first class.
 */
function findCells(classes: Classes, { start, slot, parent }: Parents): number[][][] {
  const low = new Int32Array(classes.count);
  const high = new Int32Array(classes.count);
  for (let c = 0; c < classes.count; c++) {
    for (let i = start[c] as number; i < (start[c + 1] as number); i++) {
      low[c] = ((low[c] as number) + mixLow(slot[i] as number, parent[i] as number)) | 0;
      high[c] = ((high[c] as number) + mixHigh(slot[i] as number, parent[i] as number)) | 0;
    }
  }
  const { ids } = internTuples([classes.colour, low, high], classes.count);
  const byColour = new Map<number, Map<number, number[]>>();
  for (let c = 0; c < classes.count; c++) {
    if (isFrozen(classes, c)) continue;
    const colour = classes.colour[c] as number;
    const cells = byColour.get(colour) ?? new Map<number, number[]>();
    byColour.set(colour, cells);
    const cell = cells.get(ids[c] as number);
    if (cell === undefined) cells.set(ids[c] as number, [c]);
    else cell.push(c);
  }
  return [...byColour.values()].map((cells) => [...cells.values()]);
}

class Arranger {
  readonly #classes: Classes;
  readonly #parents: Parents;
  readonly #cells: readonly (readonly (readonly number[])[])[];
  /** Index into {@link #cells} of each colour. */
  readonly #indexOf = new Map<number, number>();
  readonly #done = new Map<number, Family>();
  readonly #underWay = new Set<number>();
  readonly #families: Family[] = [];
  /** Parents of each class that only follows others, all in families that may be permuted. */
  readonly #followed = new Map<number, Int32Array>();
  readonly #conflict: number[] = [];

  constructor(classes: Classes, parents: Parents, cells: readonly (readonly (readonly number[])[])[]) {
    this.#classes = classes;
    this.#parents = parents;
    this.#cells = cells;
    cells.forEach((list, index) => {
      this.#indexOf.set(at(classes.colour, at(at(list, 0, "cell"), 0, "class"), "class"), index);
    });
  }

  arrange(): Omit<Arrangement, "cellSize"> {
    this.#cells.forEach((_, index) => {
      this.#visit(index);
    });
    return { families: this.#families, conflict: this.#conflict };
  }

  #visit(index: number): void {
    if (this.#done.has(index)) return;
    const cells = at(this.#cells, index, "colour");
    const size = at(cells, 0, "cell").length;
    if (this.#underWay.has(index) || cells.some(({ length }) => length !== size)) {
      this.#reject(cells);
      return;
    }
    this.#underWay.add(index);
    const parents = cells.length === 1 ? [new Int32Array(0)] : this.#parentsOf(cells);
    this.#underWay.delete(index);
    if (this.#done.has(index)) return;
    if (parents === undefined) {
      this.#reject(cells);
      return;
    }
    const family: Family = { cells: cells.map((cell) => Int32Array.from(cell)), parents, size };
    this.#done.set(index, family);
    this.#families.push(family);
    if (size > 1) return;
    cells.forEach((cell, i) => {
      this.#followed.set(at(cell, 0, "class"), at(parents, i, "list of parents"));
    });
  }

  #reject(cells: readonly (readonly number[])[]): void {
    this.#conflict.push(...cells.flat());
  }

  /** Finds the parents of each cell; undefined if two cells have the same parents. */
  #parentsOf(cells: readonly (readonly number[])[]): readonly Int32Array[] | undefined {
    const direct = cells.map((cell) => this.#direct(at(cell, 0, "class")));
    const arity = at(direct, 0, "cell").length;
    if (arity === 0 || direct.some(({ length }) => length !== arity)) return undefined;
    const columns = this.#withoutDetermined(distinctColumns(toColumns(direct, arity)));
    for (const column of columns) {
      const colour = this.#classes.colour[column[0] as number] as number;
      this.#visit(entry(this.#indexOf, colour, "colour"));
    }
    if (this.#conflict.length > 0) return direct;
    const followed = columns.flatMap((column) => this.#followColumn(column));
    const independent = this.#withoutDetermined(distinctColumns(followed));
    if (internTuples(independent, cells.length).count !== cells.length) return undefined;
    return cells.map((_, i) => Int32Array.from(independent, (column) => column[i] as number));
  }

  /** Returns the direct parents of a class, by role. */
  #direct(c: number): Int32Array {
    const { start, slot, parent } = this.#parents;
    const order: number[] = [];
    for (let i = start[c] as number; i < (start[c + 1] as number); i++) order.push(i);
    order.sort(
      (i, j) => (slot[i] as number) - (slot[j] as number) || (parent[i] as number) - (parent[j] as number),
    );
    return Int32Array.from(order, (i) => parent[i] as number);
  }

  /** Replaces a column of followers by the columns of the classes that they follow. */
  #followColumn(column: Int32Array): Int32Array[] {
    const first = this.#followed.get(at(column, 0, "cell"));
    if (first === undefined) return [column];
    const followed = Array.from(column, (c) => entry(this.#followed, c, "follower"));
    return Array.from(first, (_, k) => Int32Array.from(followed, (parents) => at(parents, k, "parent")));
  }

  /** Drops columns that another column determines by a recorded function. */
  #withoutDetermined(columns: readonly Int32Array[]): Int32Array[] {
    return columns.filter(
      (column) => !columns.some((other) => other !== column && this.#determines(other, column)),
    );
  }

  #determines(child: Int32Array, parent: Int32Array): boolean {
    const { start, parent: parents } = this.#parents;
    for (let i = 0; i < child.length; i++) {
      const c = child[i] as number;
      if (!parents.subarray(start[c], start[c + 1]).includes(parent[i] as number)) return false;
    }
    return true;
  }
}

function toColumns(rows: readonly Int32Array[], arity: number): Int32Array[] {
  return Array.from({ length: arity }, (_, k) => Int32Array.from(rows, (row) => row[k] as number));
}

function distinctColumns(columns: readonly Int32Array[]): Int32Array[] {
  return columns.filter(
    (column, k) => columns.findIndex((other) => other.every((value, i) => value === column[i])) === k,
  );
}
