import type { BlockMatcher } from "../coordinate-descent/block-matcher.ts";
import type { Occurrence } from "../coordinate-descent/occurrences.ts";
import type { UnitTree } from "../coordinate-descent/unit-tree.ts";

/** The part of a problem that the relaxation takes; the rest is left to coordinate descent. */
export interface Relaxable {
  /** Indices of the blocks that are relaxed. */
  readonly blocks: readonly number[];
  /** Checks whether an occurrence counts; undefined if all count. */
  readonly usable: ((occurrence: Occurrence) => boolean) | undefined;
}

/**
 * Finds the part of a problem that the relaxation can take: weights that are at most bilinear in the
 * permutations, that is weights of which at most two axes move and in which no position moves with units of
 * several blocks at once; and blocks none of whose cells lie in units of several blocks.
 */
export function findRelaxable(tree: UnitTree, matchers: readonly BlockMatcher[]): Relaxable {
  const left = new Set<string>();
  for (const { occurrences } of matchers) {
    for (const occurrence of [...occurrences.values()].flat()) {
      if (occurrence.entangled || occurrence.components.length > 2 || isShared(tree, occurrence))
        left.add(occurrence.tensor);
    }
  }
  const isFree = ({ block, held }: BlockMatcher) =>
    !held &&
    block.members.every(({ symmetry }) => {
      for (let i = 0; i < symmetry.cells.length * symmetry.size; i++) {
        if (tree.sharedBlocks.has(symmetry.firstUnit + i)) return false;
      }
      return true;
    });
  return {
    blocks: [...matchers.entries()].flatMap(([block, matcher]) => (isFree(matcher) ? [block] : [])),
    usable: left.size === 0 ? undefined : ({ tensor }) => !left.has(tensor),
  };
}

/** Checks whether some position of the weight moves with units of several blocks. */
export function isShared(tree: UnitTree, { components }: Occurrence): boolean {
  if (tree.sharedBlocks.size === 0) return false;
  return components.some(({ fields }) =>
    fields.some(({ units }) => units.some((unit) => tree.sharedBlocks.has(unit))),
  );
}
