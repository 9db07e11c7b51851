import type { Occurrence } from "./occurrences.ts";
import type { Member } from "./unit-tree.ts";

/** Two views of one alignment, `[units]` each. */
export interface PanelSources {
  /** The alignment as it is, for the rows of a panel. */
  readonly current: Int32Array;
  /** The same with the occurrence's own block in place, for the columns. */
  readonly frame: Int32Array;
}

/** Computes the costs of the members of one block. */
export interface MemberCosts {
  /**
   * The cost of a member, `[units, units]`: entry `(i, j)` is what it brings to have unit `j` in place `i` while all other blocks stay.
   * Valid until the member is asked for again.
   *
   * @param sources - the whole alignment, as it is and with this block in place
   * @param usable - occurrences that count beside those that no alignment changes; all if not given
   */
  costOf(
    member: Member,
    sources: PanelSources,
    usable?: (occurrence: Occurrence) => boolean,
  ): Promise<Float32Array>;
}

/** Whether an occurrence brings the same whatever the alignment is. */
export function isFixed({ dependsOn, coupled }: Occurrence): boolean {
  return dependsOn.size === 0 && !coupled;
}

/** Takes occurrences of which the other side is placed. */
export function whosePartnersAre(placed: ReadonlySet<number>): (occurrence: Occurrence) => boolean {
  return ({ dependsOn, coupled }) => !coupled && [...dependsOn].every((block) => placed.has(block));
}
