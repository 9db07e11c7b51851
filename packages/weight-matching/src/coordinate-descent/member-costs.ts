import type { Occurrence } from "./occurrences.ts";
import type { Member } from "./unit-tree.ts";

/** Two views of one alignment, `[units]` each. */
export interface PanelSources {
  /** The present alignment, for the rows of a panel. */
  readonly current: Int32Array;
  /** The alignment with the block of the occurrence in its original place, for the columns. */
  readonly frame: Int32Array;
}

/** A port that computes the costs of the members of one block. */
export interface MemberCosts {
  /**
   * Computes the cost of a member, `[units, units]`: entry `(i, j)` is the contribution to the objective of
   * unit `j` in place `i` while all other blocks stay. Valid until the next call for the member.
   *
   * @param sources - the whole alignment, at present and with the units of this block in their original
   *   places
   * @param usable - filter of the occurrences that count, beside the ones that no alignment changes; all if
   *   left out
   */
  costOf(
    member: Member,
    sources: PanelSources,
    usable?: (occurrence: Occurrence) => boolean,
  ): Promise<Float32Array>;
}

/** Checks whether the contribution of an occurrence is the same for every alignment of other blocks. */
export function isFixed({ dependsOn, coupled }: Occurrence): boolean {
  return dependsOn.size === 0 && !coupled;
}

/** Creates a filter of occurrences whose other side is placed. */
export function whosePartnersAre(placed: ReadonlySet<number>): (occurrence: Occurrence) => boolean {
  return ({ dependsOn, coupled }) => !coupled && [...dependsOn].every((block) => placed.has(block));
}
