import { at, type Random } from "@isthmus/core";
import type { Classes } from "./classify.ts";
import type { Family } from "./families.ts";

/**
 * Completes a permutation of classes, parents before children: cells follow their parents.
 *
 * @param image - class that each class goes to, `[classes]`; filled for the families in order
 * @param arrange - returns the classes that the classes of a cell go to, given the cell they go to; both
 *   ascending
 * @returns the families with cells that have no place to go to
 */
export function permuteFamilies(
  families: readonly Family[],
  image: Int32Array,
  arrange: (cell: Int32Array, target: Int32Array, family: Family) => Int32Array,
): Family[] {
  const stuck: Family[] = [];
  for (const family of families) {
    const targets = new Map<string, Int32Array>();
    family.parents.forEach((parents, i) => {
      targets.set(parents.join(), at(family.cells, i, "cell"));
    });
    const moved = family.cells.every((cell, i) => {
      const parents = at(family.parents, i, "list of parents");
      const target = targets.get(parents.map((p) => image[p] as number).join());
      if (target === undefined) return false;
      const arranged = arrange(cell, target, family);
      cell.forEach((c, k) => {
        image[c] = arranged[k] as number;
      });
      return true;
    });
    if (!moved) stuck.push(family);
  }
  return stuck;
}

/** Returns the permutation of classes that moves nothing. */
export function identityImage(classes: Classes): Int32Array {
  return new Int32Array(classes.count).map((_, c) => c);
}

/**
 * Draws an element of the group that moves a random half of the families, or all of them: every cell of a
 * family that moves is shuffled until some class moves.
 */
export function randomImage(
  classes: Classes,
  families: readonly Family[],
  random: Random,
  all: boolean,
): { readonly image: Int32Array; readonly stuck: readonly Family[] } {
  const image = identityImage(classes);
  const moving = new Set(families.filter(() => all || random.uniform() < 0.5));
  const stuck = permuteFamilies(families, image, (_, target, family) =>
    moving.has(family) && family.size > 1 ? shuffled(target, random) : target,
  );
  return { image, stuck };
}

/** Returns another order of at least two items. */
function shuffled(items: Int32Array, random: Random): Int32Array {
  const result = random.shuffleInPlace(items.slice());
  if (result.some((item, i) => item !== items[i])) return result;
  return items.map((_, i) => items[(i + 1) % items.length] as number);
}

/**
 * Returns the label that each label goes to when classes move by `image`: the label with its role in the new
 * class.
 */
export function labelImage({ classOf, members, start, placeOf }: Classes, image: Int32Array): Int32Array {
  return classOf.map((c, label) => {
    if (image[c] === c) return label;
    const place = (placeOf[label] as number) - (start[c] as number);
    return members[(start[image[c] as number] as number) + place] as number;
  });
}
