import { createRandom } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import type { LabelStore } from "../labels/label-store.ts";
import { labelImage, randomImage } from "./class-permutation.ts";
import { type Classes, classify } from "./classify.ts";
import { applyCongruence } from "./congruence.ts";
import { arrangeFamilies, type Family } from "./families.ts";

/** The symmetry group of a store of labels: classes of labels, arranged in families. */
export interface SymmetryGroup {
  /** Classes of labels that move together, and their colours. */
  readonly classes: Classes;
  /** Families, parents before children. */
  readonly families: readonly Family[];
}

/**
 * Number of elements of the group that are sampled and checked. The first moves everything; in the others
 * each family moves or not by chance, which detects two families that can only move together.
 */
const SAMPLES = 10;

const UNRESOLVED = "how it moves together with what depends on it could not be resolved there";

/**
 * Reads the symmetry group off the records of a store of labels.
 *
 * It is conservative: if sampled permutations contradict the records, the classes concerned are frozen and
 * the group is read off again.
 */
export function readOff(store: LabelStore): SymmetryGroup {
  for (;;) {
    applyCongruence(store);
    const classes = classify(store);
    const { families, conflict, cellSize } = arrangeFamilies(store, classes);
    const concerned = conflict.length > 0 ? conflict : sampleViolations(store, classes, families);
    if (concerned.length === 0) return { classes, families };
    if (!tellApart(store, classes, concerned, cellSize)) freezeClasses(store, classes, concerned);
  }
}

/**
 * Marks labels of some classes by the sizes of their cells, and returns whether that allows more conclusions.
 * Groups of 8 and of 12 channels, for example, overlap in cells of 8 and of 4: among the cells of 8 alone, a
 * group of one kind stands for one of the other kind. Classes in cells of different sizes are never
 * exchanged, so nothing is lost. Each such step divides classes of one colour, so there are finitely many.
 */
function tellApart(
  store: LabelStore,
  classes: Classes,
  concerned: readonly number[],
  cellSize: Int32Array,
): boolean {
  if (!isDivided(classes, concerned, cellSize)) return false;
  const before = store.changes;
  const labels = labelsOfColours(classes, concerned);
  const sizes = labels.map((label) => cellSize[classes.classOf[label] as number] as number);
  store.mark(
    labels,
    internTuples([labels.map((label) => classes.labelColour[label] as number), sizes], labels.length).ids,
  );
  applyCongruence(store);
  return store.changes !== before;
}

/** Checks whether any of the colours of some classes has classes in cells of several sizes. */
function isDivided({ colour }: Classes, concerned: readonly number[], cellSize: Int32Array): boolean {
  const sizes = new Map(concerned.map((c) => [colour[c], cellSize[c]]));
  return colour.some((one, c) => sizes.has(one) && sizes.get(one) !== cellSize[c]);
}

function sampleViolations(
  store: LabelStore,
  classes: Classes,
  families: readonly Family[],
): readonly number[] {
  for (let sample = 0; sample < SAMPLES; sample++) {
    const random = createRandom(sample, "symmetry");
    const { image, stuck } = randomImage(classes, families, random, sample === 0);
    if (stuck.length > 0) return stuck.flatMap(({ cells }) => cells.flatMap((cell) => [...cell]));
    const violating = findViolations(store, classes, labelImage(classes, image));
    if (violating.length > 0) return violating;
  }
  return [];
}

/** Freezes all classes of the colours that some classes have. */
function freezeClasses(store: LabelStore, classes: Classes, concerned: readonly number[]): void {
  store.node = "symmetry";
  store.freeze(labelsOfColours(classes, concerned), UNRESOLVED);
}

/** Lists the labels of all classes of the colours that some classes have. */
function labelsOfColours({ classOf, colour }: Classes, concerned: readonly number[]): Int32Array {
  const colours = new Set(concerned.map((c) => colour[c] as number));
  const labels: number[] = [];
  classOf.forEach((c, label) => {
    if (colours.has(colour[c] as number)) labels.push(label);
  });
  return Int32Array.from(labels);
}

/**
 * Checks that a permutation of labels preserves every link, every function and every mark.
 *
 * Equal colours do not prove that a permutation exists, so each sampled permutation is checked.
 * @returns classes with a label whose links, functions or marks are not preserved
 */
function findViolations(store: LabelStore, classes: Classes, image: Int32Array): number[] {
  const violating = new Set<number>();
  const slots = new Int32Array(store.count);
  const check = (from: Int32Array, to: Int32Array): void => {
    for (let i = 0; i < from.length; i++) slots[from[i] as number] = i + 1;
    const repeated = isRepeated(from, slots) ? pairsOf(from, to) : undefined;
    for (let i = 0; i < from.length; i++) {
      const a = image[from[i] as number] as number;
      const b = image[to[i] as number] as number;
      const slot = slots[a] as number;
      const isPreserved =
        repeated === undefined ? slot > 0 && to[slot - 1] === b : repeated.has(a * 2 ** 31 + b);
      if (isPreserved) continue;
      violating.add(classes.classOf[from[i] as number] as number);
      violating.add(classes.classOf[to[i] as number] as number);
    }
    for (const label of from) slots[label] = 0;
  };
  const relations = [
    ...store.links.map(({ a, b }) => [a, b] as const),
    ...store.functions.map(({ child, parent }) => [child, parent] as const),
  ];
  for (const [from, to] of relations) if (isMoved(from, image) || isMoved(to, image)) check(from, to);
  for (let label = 0; label < store.count; label++) {
    const moved = image[label] as number;
    const same =
      store.owner[label] === store.owner[moved] &&
      store.markLow[label] === store.markLow[moved] &&
      store.markHigh[label] === store.markHigh[moved];
    if (!same) violating.add(classes.classOf[label] as number);
  }
  return [...violating];
}

/** Checks whether a permutation moves any of some labels. */
function isMoved(labels: Int32Array, image: Int32Array): boolean {
  for (let i = 0; i < labels.length; i++) if (image[labels[i] as number] !== labels[i]) return true;
  return false;
}

/** Checks whether a label stands in several pairs, of which `slots` holds the last, counted from 1. */
function isRepeated(from: Int32Array, slots: Int32Array): boolean {
  for (let i = 0; i < from.length; i++) if (slots[from[i] as number] !== i + 1) return true;
  return false;
}

function pairsOf(from: Int32Array, to: Int32Array): Set<number> {
  const pairs = new Set<number>();
  for (let i = 0; i < from.length; i++) pairs.add((from[i] as number) * 2 ** 31 + (to[i] as number));
  return pairs;
}
