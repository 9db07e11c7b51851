import { at } from "@isthmus/core";
import { type BlockMatcher, unitsOf } from "../../coordinate-descent/block-matcher.ts";
import type { Placement } from "../../coordinate-descent/placement.ts";

/** A placement of the units of every member, and its weight in the combination. */
interface Vertex {
  readonly units: readonly Int32Array[];
  share: number;
}

/** Weight of each unit of a block in each place, as a convex combination of placements. */
export class RelaxedPermutations {
  readonly #matcher: BlockMatcher;
  #vertices: Vertex[] = [];

  constructor(matcher: BlockMatcher) {
    this.#matcher = matcher;
  }

  /** Takes a step of `t` in `[0, 1]` towards a placement. */
  step(placement: Placement, t: number): void {
    const { block } = this.#matcher;
    const choices = new Map(block.members.map(({ index }) => [index, at(placement, index, "symmetry")]));
    for (const vertex of this.#vertices) vertex.share *= 1 - t;
    this.#vertices = this.#vertices.filter(({ share }) => share > 0);
    this.#vertices.push({ units: block.members.map((member) => unitsOf(block, member, choices)), share: t });
  }

  /** Finds the closest placement; symmetries that may not move stay as in `current`. */
  round(current: Placement): Map<number, Int32Array> {
    const members = this.#matcher.block.members.map((member, k) => {
      const shares = new Float32Array((member.symmetry.cells.length * member.symmetry.size) ** 2);
      for (const { units, share } of this.#vertices) {
        const ofMember = at(units, k, "member");
        ofMember.forEach((unit, place) => {
          const i = place * ofMember.length + unit;
          shares[i] = at(shares, i, "share") + share;
        });
      }
      return [member, shares] as const;
    });
    return this.#matcher.solve(new Map(members), current);
  }
}
