import { at } from "@isthmus/core";
import type { LabelStore } from "../labels/label-store.ts";
import type { Classes } from "./classify.ts";
import type { Family } from "./families.ts";
import type { SymmetryGroup } from "./read-off.ts";

/** The families that move weights, with the numbers of their units. */
export interface NumberedUnits {
  /** Families that may be permuted, parents first; units are numbered in this order. */
  readonly free: readonly Family[];
  /** Families that lie in weights but only follow others. */
  readonly followers: readonly Family[];
  /** Unit of each class, or -1. */
  readonly unitOf: Int32Array;
  /** Class of each unit. */
  readonly classOf: Int32Array;
  /** First unit of each family of `free` and `followers`. */
  readonly firstUnit: ReadonlyMap<Family, number>;
}

/**
 * Assigns numbers to the units of a specification: first the units of families that may be permuted, then the
 * units of followers. Families are left out if they neither lie in a weight nor move a family that does.
 */
export function numberUnits(store: LabelStore, group: SymmetryGroup): NumberedUnits {
  const needed = neededFamilies(store, group);
  const moving = group.families.filter((family) => needed.has(family));
  const free = moving.filter(({ size }) => size > 1);
  const followers = moving.filter(({ size }) => size === 1);
  const unitOf = new Int32Array(group.classes.count).fill(-1);
  const classOf: number[] = [];
  const firstUnit = new Map<Family, number>();
  for (const family of [...free, ...followers]) {
    firstUnit.set(family, classOf.length);
    for (const c of family.cells.flatMap((cell) => [...cell])) {
      unitOf[c] = classOf.length;
      classOf.push(c);
    }
  }
  return { free, followers, unitOf, classOf: Int32Array.from(classOf), firstUnit };
}

/** Finds the families that lie in a weight, and the families that these are nested in or follow. */
function neededFamilies(store: LabelStore, { classes, families }: SymmetryGroup): ReadonlySet<Family> {
  const inWeights = classesInWeights(store, classes);
  const familyOf = indexFamilies(families);
  const needed = new Set<Family>();
  for (const family of [...families].reverse()) {
    if (!needed.has(family) && !family.cells.some((cell) => cell.some((c) => inWeights[c] === 1))) continue;
    needed.add(family);
    for (const parent of at(family.parents, 0, "cell")) {
      const above = familyOf.get(parent);
      if (above !== undefined) needed.add(above);
    }
  }
  return needed;
}

/** Indexes families by their classes. */
export function indexFamilies(families: readonly Family[]): ReadonlyMap<number, Family> {
  const familyOf = new Map<number, Family>();
  for (const family of families)
    for (const cell of family.cells) for (const c of cell) familyOf.set(c, family);
  return familyOf;
}

function classesInWeights(store: LabelStore, { count, classOf }: Classes): Uint8Array {
  const present = new Uint8Array(count);
  for (const { weight, firstLabel, count: labels } of store.owners) {
    if (weight === undefined) continue;
    for (let label = firstLabel; label < firstLabel + labels; label++) present[classOf[label] as number] = 1;
  }
  return present;
}
